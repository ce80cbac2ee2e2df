"""Namespaces: create, get, list, update, delete."""

from collections.abc import Mapping
from contextlib import suppress

from structmem.v1 import namespace_service_pb2 as pb
from structmem.v1 import namespace_service_pb2_grpc

from extract.port import spec_with
from graph.errors import NotFound
from graph.model import NO_EXTRACTION
from graph.store.port import ConsistencyPoint, Cursor, GenerationStart, count_within
from service import call_context
from service.authorize import Action, may
from service.convert.namespaces import change_from_proto, namespace_to_proto, spec_from_proto
from service.convert.times import timestamp
from service.handlers.resource import Context, ResourceHandlers
from service.validate import Violations, limit_of, namespace_name


class NamespaceHandlers(ResourceHandlers, namespace_service_pb2_grpc.NamespaceServiceServicer):
    """The NamespaceService."""

    async def CreateNamespace(self, request: pb.CreateNamespaceRequest, context: Context) -> pb.CreateNamespaceResponse:
        """Creates a namespace."""
        with self._entering(Action.ADMIN, request.namespace) as found:
            spec = spec_from_proto(found, request, self._dependencies.served, self._dependencies.mode)
        made = await self._store.create_namespace(spec)
        token = self._consistency_token(made.name, made.uid, made.revision)
        return pb.CreateNamespaceResponse(namespace=namespace_to_proto(made), consistency_token=token)

    async def GetNamespace(self, request: pb.GetNamespaceRequest, context: Context) -> pb.GetNamespaceResponse:
        """Shows one namespace."""
        with self._entering(Action.READ, request.namespace) as found:
            memory = self._reading(found, request)
        return pb.GetNamespaceResponse(namespace=namespace_to_proto(await memory.settings()))

    async def ListNamespaces(self, request: pb.ListNamespacesRequest, context: Context) -> pb.ListNamespacesResponse:
        """Namespaces that the caller may read, by name."""
        with Violations() as found:
            limit = limit_of(found, "page_size", request.page_size, 100, 1000)
            if request.prefix:
                namespace_name(found, "prefix", request.prefix)
            points = self._points(found, "at_least", request.at_least)
            cursor: Cursor | None = None
            with found.gathering():
                cursor = self._dependencies.pages.read(request, "")
        await self._see(points)
        after = str(cursor[0]) if cursor else ""
        principal = call_context.current().principal
        readable = await self._store.list_namespaces(request.prefix, after, limit + 1, lambda name: may(principal, Action.READ, name))
        # One has a few hundred kilobytes at most, with a long profile: there is always room for the first.
        namespaces = [namespace_to_proto(namespace) for namespace in readable[:limit]]
        shown = count_within((namespace.ByteSize() for namespace in namespaces), self._page_bytes)
        # The token holds the last name shown, never one that the caller may not see.
        more: Cursor | None = (readable[shown - 1].name,) if len(readable) > shown else None
        return pb.ListNamespacesResponse(
            namespaces=namespaces[:shown],
            next_page_token=self._dependencies.pages.make(request, "", more),
        )

    async def _see(self, points: Mapping[str, ConsistencyPoint]) -> None:
        """Waits until the store shows these writes, as far as the caller may read their namespaces."""
        principal = call_context.current().principal
        for name, point in points.items():
            if may(principal, Action.READ, name):
                with suppress(NotFound):
                    await self._store.namespace(name, point).settings()

    async def UpdateNamespace(self, request: pb.UpdateNamespaceRequest, context: Context) -> pb.UpdateNamespaceResponse:
        """Changes a namespace's settings."""
        with self._entering(Action.ADMIN, request.namespace) as found:
            change = change_from_proto(found, request)
        memory = self._memory(request.namespace)
        before = await memory.settings()
        after = await memory.update(change)
        extractor = self._dependencies.extractors.get(after.extraction_mode)
        spec = spec_with(extractor, after.profile) if extractor else NO_EXTRACTION
        changed = (after.extraction_mode, after.profile.version) != (before.extraction_mode, before.profile.version)
        # A call that was given up between the two steps has changed the settings; whoever repeats it goes on from there.
        if changed or (before.generation is not None and before.generation.extractor != spec):
            await memory.begin_generation(GenerationStart(spec))
            after = await memory.settings()
        token = self._consistency_token(after.name, after.uid, after.revision)
        return pb.UpdateNamespaceResponse(namespace=namespace_to_proto(after), consistency_token=token)

    async def DeleteNamespace(self, request: pb.DeleteNamespaceRequest, context: Context) -> pb.DeleteNamespaceResponse:
        """Deletes a namespace and all that is in it."""
        with self._entering(Action.ADMIN, request.namespace):
            pass
        await self._store.delete_namespace(request.namespace)
        return pb.DeleteNamespaceResponse(deleted_at=timestamp(self._dependencies.clock.now()))
