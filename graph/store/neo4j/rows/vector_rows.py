"""Vectors of passages that were stored before them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from graph.model import NodeKind, kind_of
from graph.model.ids import MEMORY_KINDS
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.node_properties import passage_key
from graph.store.neo4j.rows.node_writer import set_further_vectors, set_vectors
from graph.store.neo4j.rows.usage_rows import add_usage
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.port import Float16Vector, PassageVector, UsageEntry
from graph.store.rules.vector_checks import accepted_vectors

# `digest` is there on passages of current memories alone.
_LACKING = """UNWIND $at.ids AS id MATCH (m:%s {namespace: $namespace, id: id}) WHERE m.digest IS NOT NULL AND m.v16 IS NULL
    RETURN collect([m.id, m.key])"""
_FURTHER = """UNWIND $at.passages AS passage MATCH (m:Message {namespace: $namespace, id: passage[0]})
    MATCH (p:Passage {namespace: $namespace, owner_key: m.key, ordinal: passage[1]}) WHERE p.v16 IS NULL
    RETURN collect([m.id, m.key, p.ordinal])"""


async def put_vectors(handle: Handle, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()) -> int:
    """See `Memory.put_vectors`."""

    async def work(tx: Transaction) -> int:
        spec = tx.namespace.embedding
        checked = accepted_vectors(spec, fingerprint, vectors)
        given = {(item.owner_id, item.ordinal): vector for item, vector in zip(vectors, checked, strict=True)}
        versions = {item.owner_id: item.version for item in vectors}
        first = await _first_passages(tx, given, versions)
        further = await _further_passages(tx, given, versions)
        for kind, found in first.items():
            await set_vectors(tx, kind, spec.dimension, found)
        await set_further_vectors(tx, spec.dimension, further)
        keys = [passage_key(key, 0) for found in first.values() for key in found]
        keys += [passage_key(key, ordinal) for key, ordinal in further]
        if keys:
            tx.changed(Operation.EMBEDDED, keys)
        await add_usage(tx, usage)
        return len(keys)

    return await handle.write(work)


Given = dict[tuple[str, int], Float16Vector]


async def _first_passages(tx: Transaction, given: Given, versions: Mapping[str, int]) -> dict[NodeKind, dict[int, Float16Vector]]:
    """The vectors that first passages lack, by kind and key."""
    ids: defaultdict[NodeKind, list[str]] = defaultdict(list)
    for id_, ordinal in given:
        kind = _memory_kind(id_)
        if kind is not None and ordinal == 0:
            ids[kind].append(id_)
    lacking: dict[NodeKind, dict[int, Float16Vector]] = {}
    for kind, some in ids.items():
        [[found]] = await tx.rows(_LACKING % NODE_LABELS[kind], {"ids": some})
        lacking[kind] = {key: given[(id_, 0)] for id_, key in found if versions[id_] in (0, key)}
    return lacking


async def _further_passages(tx: Transaction, given: Given, versions: Mapping[str, int]) -> dict[tuple[int, int], Float16Vector]:
    passages: list[Any] = [list(passage) for passage in given if passage[1] > 0]
    if not passages:
        return {}
    [[found]] = await tx.rows(_FURTHER, {"passages": passages})
    return {(key, ordinal): given[(id_, ordinal)] for id_, key, ordinal in found if versions[id_] in (0, key)}


def _memory_kind(id_: str) -> NodeKind | None:
    try:
        kind = kind_of(id_)
    except ValueError:
        return None
    return kind if kind in MEMORY_KINDS else None
