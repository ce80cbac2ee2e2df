"""What searches read of a passage, as properties: of its memory for the first one, of a node of its own for the others."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graph.model import NodeKind, Role
from graph.store.memory_rows import MemoryRow, PassageRow
from graph.store.neo4j.rows.node_rows import Properties
from graph.store.neo4j.rows.search_tokens import group_of, terms_text
from graph.store.neo4j.rows.spans import width_class
from graph.text.features import Feature

# Removed when a memory is retired, so that no index has to be asked whether it is current. The vector's own property goes too.
REMOVED_ON_RETIREMENT = ("terms", "facets", "term_hashes", "term_counts", "length", "digest", "v16", "waits")


def memory_columns(row: MemoryRow, role: Role | None = None) -> Properties:
    """What a memory keeps even when it is retired. `role` is that of a message's speaker."""
    columns: Properties = {"features": row.features}
    if role is Role.USER and row.features & Feature.INSTRUCTION:
        columns["instruction"] = 1
    if row.spans:
        columns["spans"] = row.spans
    return columns


def passage_columns(token: str, kind: NodeKind, passage: PassageRow, facets: str, *, waits: bool) -> Properties:
    """The searched properties of one passage of a current memory. `waits`: its vector is to be made."""
    hashes = np.frombuffer(passage.terms, "<u8")
    order = np.argsort(hashes)
    counts = np.frombuffer(passage.counts, np.uint8)[order].tobytes()
    terms = hashes[order].tobytes()
    columns: Properties = {
        "terms": terms_text(token, group_of(kind), terms, counts),
        "facets": facets,
        "term_hashes": terms,
        "term_counts": counts,
        "length": passage.length,
        "digest": passage.digest,
    }
    if waits:
        columns["waits"] = True
    return columns


def further_passages(
    memory: Mapping[str, Any], token: str, kind: NodeKind, row: MemoryRow, facets: str, *, waits: bool
) -> list[Properties]:
    """The :Passage nodes of a memory, whose properties are given: those of all its passages but the first."""
    shared = {name: memory[name] for name in ("namespace", "key", "kind", "said_at", "session", "speaker")}
    shared |= {"instruction": 1} if "instruction" in memory else {}
    shared |= {"owner_id": memory["id"], "owner_key": memory["key"]}
    return [
        {**shared, "ordinal": passage.ordinal, **passage_columns(token, kind, passage, facets, waits=waits)} for passage in row.passages[1:]
    ]


def span_nodes(namespace: str, key: int, spans: bytes | None) -> list[Properties]:
    """The :Span nodes of a memory."""
    bounds: Sequence[int] = np.frombuffer(spans or b"", "<i8").tolist()
    return [
        {"namespace": namespace, "key": key, "width": width_class(start, end), "starts_at": start, "ends_at": end}
        for start, end in zip(bounds[::2], bounds[1::2], strict=True)
    ]
