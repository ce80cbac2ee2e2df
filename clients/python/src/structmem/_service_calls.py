"""The calls of NamespaceService and InspectionService; see `structmem._calls`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration

from structmem import _answers as a
from structmem import _cypher_values as cv
from structmem import _decode as d
from structmem import _decode_answers as da
from structmem import _encode as e
from structmem._calls import Call, Page
from structmem._checks import one, several
from structmem._cypher import CypherValue
from structmem._inputs import ConsistencyTokens, EmbeddingSpec, EntityType, ExtractionProfile, RelationType, RetentionRule
from structmem._kinds import CypherScope, EntityKind, ExtractionMode
from structmem.v1 import cypher_pb2, namespace_pb2, node_pb2
from structmem.v1 import inspection_service_pb2 as ipb
from structmem.v1 import namespace_service_pb2 as npb

# Namespaces


def _mode(mode: ExtractionMode | str) -> int:
    return e.number_of("extraction_mode", ExtractionMode, namespace_pb2.ExtractionMode, mode)


def _profile(it: ExtractionProfile | None) -> namespace_pb2.ExtractionProfile | None:
    if it is None:
        return None
    one("profile", it, ExtractionProfile)
    entity_types = [
        e.build(
            namespace_pb2.EntityType,
            name=one(f"profile.entity_types[{index}]", given, EntityType).name,
            kind=e.number_of("kind", EntityKind, node_pb2.EntityKind, given.kind),
            description=given.description,
        )
        for index, given in enumerate(several("profile.entity_types", it.entity_types, "EntityTypes"))
    ]
    relation_types = [
        e.build(
            namespace_pb2.RelationType,
            name=one(f"profile.relation_types[{index}]", given, RelationType).name,
            description=given.description,
        )
        for index, given in enumerate(several("profile.relation_types", it.relation_types, "RelationTypes"))
    ]
    return e.build(namespace_pb2.ExtractionProfile, entity_types=entity_types, relation_types=relation_types, instructions=it.instructions)


def _embedding(it: EmbeddingSpec) -> namespace_pb2.EmbeddingSpec:
    return e.build(namespace_pb2.EmbeddingSpec, model=it.model, dimension=it.dimension, fingerprint=it.fingerprint)


def _retention(rules: Sequence[RetentionRule] | None) -> namespace_pb2.Retention | None:
    if rules is None:
        return None
    made = []
    for index, rule in enumerate(several("retention", rules, "RetentionRules")):
        one(f"retention[{index}]", rule, RetentionRule)
        keep = Duration()
        keep.FromTimedelta(one(f"retention[{index}].keep", rule.keep, timedelta))
        made.append(e.build(namespace_pb2.RetentionRule, keep=keep, session=rule.session, label=rule.label, label_value=rule.label_value))
    return namespace_pb2.Retention(rules=made)


def create_namespace(
    namespace: str,
    embedding: EmbeddingSpec | None,
    extraction_mode: ExtractionMode | str,
    time_zone: str,
    description: str,
    profile: ExtractionProfile | None,
    retention: Sequence[RetentionRule] | None,
) -> Call[a.Namespace]:
    """CreateNamespace."""
    spec = embedding and _embedding(one("embedding", embedding, EmbeddingSpec))
    request = e.build(
        npb.CreateNamespaceRequest,
        namespace=namespace,
        embedding=spec,
        extraction_mode=_mode(extraction_mode),
        time_zone=time_zone,
        description=description,
        profile=_profile(profile),
        retention=_retention(retention),
    )
    return Call("namespace", "CreateNamespace", request, lambda it: da.namespace(it.namespace, it.consistency_token), repeatable=False)


def get_namespace(namespace: str, at_least: ConsistencyTokens) -> Call[a.Namespace]:
    """GetNamespace."""
    request = e.build(npb.GetNamespaceRequest, namespace=namespace, at_least=e.tokens(at_least))
    return Call("namespace", "GetNamespace", request, lambda it: da.namespace(it.namespace))


def list_namespaces(prefix: str, at_least: ConsistencyTokens, page_size: int | None, page_token: str) -> Call[Page[a.Namespace]]:
    """ListNamespaces, one page."""
    request = e.build(
        npb.ListNamespacesRequest,
        prefix=prefix,
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return Call("namespace", "ListNamespaces", request, lambda it: ([da.namespace(x) for x in it.namespaces], it.next_page_token))


def update_namespace(
    namespace: str,
    extraction_mode: ExtractionMode | str | None,
    time_zone: str | None,
    description: str | None,
    profile: ExtractionProfile | None,
    retention: Sequence[RetentionRule] | None,
) -> Call[a.Namespace]:
    """UpdateNamespace."""
    request = e.build(
        npb.UpdateNamespaceRequest,
        namespace=namespace,
        extraction_mode=None if extraction_mode is None else _mode(extraction_mode),
        time_zone=time_zone,
        description=description,
        profile=_profile(profile),
        retention=_retention(retention),
    )
    return Call("namespace", "UpdateNamespace", request, lambda it: da.namespace(it.namespace, it.consistency_token))


def delete_namespace(namespace: str) -> Call[datetime | None]:
    """DeleteNamespace."""
    request = e.build(npb.DeleteNamespaceRequest, namespace=namespace)
    return Call("namespace", "DeleteNamespace", request, lambda it: d.moment(it, "deleted_at"), repeatable=False)


# The service


def graph_stats(namespace: str, at_least: ConsistencyTokens) -> Call[a.GraphStats]:
    """GetGraphStats."""
    request = e.build(ipb.GetGraphStatsRequest, namespace=namespace, at_least=e.tokens(at_least))
    return Call("inspection", "GetGraphStats", request, da.graph)


def usage(namespace: str, at_least: ConsistencyTokens) -> Call[tuple[a.UsageEntry, ...]]:
    """GetUsage."""
    request = e.build(ipb.GetUsageRequest, namespace=namespace, at_least=e.tokens(at_least))
    return Call("inspection", "GetUsage", request, da.usage)


def run_cypher(
    namespace: str,
    query: str,
    parameters: Mapping[str, CypherValue] | None,
    scope: CypherScope | str,
    at_least: ConsistencyTokens,
    max_rows: int | None,
) -> Call[ipb.RunCypherResponse]:
    """RunCypher; the parts of its answer."""
    request = e.build(
        ipb.RunCypherRequest,
        namespace=namespace,
        query=query,
        parameters=cv.parameters(parameters or {}),
        scope=e.number_of("scope", CypherScope, cypher_pb2.CypherScope, scope),
        at_least=e.tokens(at_least),
        max_rows=e.at_least_one("max_rows", max_rows),
    )
    return Call("inspection", "RunCypher", request, lambda it: it)


def server_info() -> Call[a.ServerInfo]:
    """GetServerInfo."""
    return Call("inspection", "GetServerInfo", ipb.GetServerInfoRequest(), da.server_info)
