"""Messages in: AppendMessages, FlushSession, ImportMessages."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from structmem.v1 import memory_service_pb2 as pb

from graph.errors import AlreadyExists, InvalidArgument, NamespaceNotFound, NotFound, StructMemError
from graph.model import Namespace
from graph.store.port import AppendCommand, AppendOutcome, Memory, NamespaceSpec
from service.authorize import Action
from service.convert.messages import Circumstances, drafts_from_proto
from service.handlers.resource import Context, Dependencies, ResourceHandlers
from service.validate import Violations, text, zone_name, zone_of
from service.validate.fields import MAX_NAME, MAX_REQUEST_ID

# Larger requests are read in a thread: a megabyte takes some milliseconds.
_READ_IN_PLACE = 500_000
# Appends of more characters wait for one another: each thread that analyses a long text keeps the interpreter from all other calls in turn.
_ANALYSED_AT_ONCE = 50_000

# Ids of jobs in one answer; a namespace may have as many sessions as fit nobody's answer.
MAX_JOB_IDS = 1_000
# Making a namespace takes milliseconds; on a slow disk or a far server longer.
_UNTIL_MADE_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class MessageHandlers(ResourceHandlers):
    """Stores messages."""

    def __init__(self, dependencies: Dependencies) -> None:
        super().__init__(dependencies)
        self._long_texts = asyncio.Semaphore(1)

    async def AppendMessages(self, request: pb.AppendMessagesRequest, context: Context) -> pb.AppendMessagesResponse:
        """Stores messages at the end of a session."""
        with self._entering(Action.WRITE, request.namespace) as found:
            command = await self._command(found, request.namespace, request.create_namespace, request, request.request_id)
        outcome = await self._appended(self._memory(request.namespace), request.create_namespace, command)
        return pb.AppendMessagesResponse(
            messages=[
                pb.AppendedMessage(id=m.id, seq=m.seq, client_id=m.client_id, duplicate=m.duplicate, edited=m.edited)
                for m in outcome.messages
            ],
            consistency_token=self._consistency_token(request.namespace, outcome.namespace_uid, outcome.revision),
            job_id=outcome.job_id,
        )

    async def FlushSession(self, request: pb.FlushSessionRequest, context: Context) -> pb.FlushSessionResponse:
        """Extracts what waits in the buffer."""
        with self._entering(Action.WRITE, request.namespace) as found:
            text(found, "session", request.session, MAX_NAME, required=False)
        memory = self._memory(request.namespace)
        job_ids = await memory.flush(request.session)
        return pb.FlushSessionResponse(
            job_ids=job_ids[:MAX_JOB_IDS],
            job_count=len(job_ids),
            consistency_token=await self._token_now(memory, request.namespace),
        )

    async def ImportMessages(self, requests: AsyncIterator[pb.ImportMessagesRequest], context: Context) -> pb.ImportMessagesResponse:
        """Stores a stream of batches, each in a transaction of its own; the next is read when the last one is durable."""
        header = await _header(requests)
        with self._entering(Action.WRITE, header.namespace, field="header.namespace"):
            pass
        # One handle for all batches: they go into one namespace, also where another one gets its name meanwhile.
        memory, tally = self._memory(header.namespace), _ImportTally()
        async for request in requests:
            try:
                if request.WhichOneof("part") != "batch":
                    raise InvalidArgument.of("part", "must be a batch after the header")
                with Violations() as found:
                    command = await self._command(found, header.namespace, header.create_namespace, request.batch, "", "batch.")
                tally.add(request.batch.session, await self._appended(memory, header.create_namespace, command))
            except StructMemError as error:
                # The field tells where in the batch, this tells which batch, and which message by the ids that the caller gave.
                error.metadata = {"batch": str(tally.batches), **_named(error, request.batch), **error.metadata}
                raise
        if not tally.batches:
            raise InvalidArgument.of("part", "at least one batch must follow the header")
        return pb.ImportMessagesResponse(
            stored_count=tally.stored,
            duplicate_count=tally.duplicates,
            session_count=len(tally.sessions),
            consistency_token=self._consistency_token(header.namespace, tally.namespace_uid, tally.revision),
            job_ids=tally.job_ids[:MAX_JOB_IDS],
            job_count=len(tally.job_ids),
        )

    async def _command(
        self,
        found: Violations,
        name: str,
        create: bool,
        request: pb.AppendMessagesRequest | pb.ImportMessagesBatch,
        request_id: str,
        at: str = "",
    ) -> AppendCommand:
        text(found, f"{at}session", request.session, MAX_NAME)
        zone_name(found, f"{at}time_zone", request.time_zone)
        text(found, f"{at}request_id", request_id, MAX_REQUEST_ID, required=False)
        # What is refused already is judged as far as it goes without the namespace. Most appends need nothing of it beforehand; each read
        # spared counts while the pipeline is at work.
        judged = not found
        needed = judged and any(message.HasField("embedding") or message.sent_at_local for message in request.messages)
        namespace = await self._found_or_none(name, create) if needed else None
        zone = await self._zone(namespace, request.session, request.time_zone) if judged else ZoneInfo("UTC")
        circumstances = Circumstances(namespace, zone, self._dependencies.clock.now(), self._dependencies.served.fingerprint, judged)
        read = partial(drafts_from_proto, found, f"{at}messages", request.messages, circumstances)
        drafts = read() if request.ByteSize() <= _READ_IN_PLACE else await asyncio.to_thread(read)
        idle = timedelta(seconds=self._dependencies.settings.idle_s)
        return AppendCommand(request.session, drafts, idle, request.time_zone, request_id)

    async def _zone(self, namespace: Namespace | None, session_name: str, given: str) -> ZoneInfo | None:
        """The zone of local times: the request's, else the session's, else the namespace's."""
        if given or namespace is None:
            return zone_of(given)
        session = await self._store.namespace(namespace.name).get_session(session_name)
        return zone_of((session.time_zone if session else "") or namespace.time_zone)

    async def _found_or_none(self, name: str, create: bool) -> Namespace | None:
        try:
            return await self._store.namespace(name).settings()
        except NotFound:
            if create:
                return None
            raise

    async def _appended(self, memory: Memory, create: bool, command: AppendCommand) -> AppendOutcome:
        if sum(len(message.text) for message in command.messages) <= _ANALYSED_AT_ONCE:
            return await self._stored(memory, create, command)
        # Where the caller gives up, the thread that analyses is told, and stops at its next passage; meanwhile another may begin.
        async with self._long_texts:
            return await self._stored(memory, create, command)

    async def _stored(self, memory: Memory, create: bool, command: AppendCommand) -> AppendOutcome:
        try:
            return await memory.append(command)
        except NamespaceNotFound:
            if not create:
                raise
        try:
            await self._store.create_namespace(NamespaceSpec(memory.name, self._dependencies.served, self._dependencies.mode))
        except AlreadyExists:
            # Another call was faster, and may not be done.
            await self._made(memory.name)
        return await memory.append(command)

    async def _made(self, name: str) -> None:
        """Returns when the namespace that another call is making is there, or after a while."""
        for pause in _UNTIL_MADE_S:
            with suppress(NamespaceNotFound):
                await self._store.namespace(name).settings()
                return
            await asyncio.sleep(pause)


class _ImportTally:
    def __init__(self) -> None:
        self.batches = self.stored = self.duplicates = self.revision = 0
        self.namespace_uid = ""
        self.sessions: set[str] = set()
        self._jobs: dict[str, None] = {}

    @property
    def job_ids(self) -> list[str]:
        return list(self._jobs)

    def add(self, session: str, outcome: AppendOutcome) -> None:
        duplicates = sum(message.duplicate for message in outcome.messages)
        self.batches += 1
        self.duplicates += duplicates
        self.stored += len(outcome.messages) - duplicates
        self.namespace_uid, self.revision = outcome.namespace_uid, max(self.revision, outcome.revision)
        self.sessions.add(session)
        if outcome.job_id:
            self._jobs[outcome.job_id] = None


async def _header(requests: AsyncIterator[pb.ImportMessagesRequest]) -> pb.ImportMessagesHeader:
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("part") != "header":
        raise InvalidArgument.of("part", "the first part of the stream must be the header")
    return first.header


def _named(error: StructMemError, batch: pb.ImportMessagesBatch) -> dict[str, str]:
    """The session of a batch, and the client_id of the message that an error is about."""
    violations = error.violations if isinstance(error, InvalidArgument) else ()
    found = re.match(r"batch\.messages\[(\d+)\]", violations[0].field) if violations else None
    client_id = batch.messages[int(found[1])].client_id if found and int(found[1]) < len(batch.messages) else ""
    return {name: value[:MAX_NAME] for name, value in (("session", batch.session), ("client_id", client_id)) if value}
