"""Between summaries and the properties that are stored of them: what people read stands by itself, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graph.model import Granularity, Seed, Summary, SummaryLevel, SummarySentence, TimeSpan, from_micros, to_micros
from graph.store.port import Float16Vector
from graph.store.rules.consolidating import seed_of

# Without its vector. `sentence_sources`: of each sentence the ids that it rests on, parted by blanks, which no id holds.
SUMMARY_PROJECTION = """{.id, .key, .level, .title, .sentences, .sentence_sources, .sessions, .names, .starts_at, .ends_at,
    .time_granularity, .time_expression, .said_from, .said_to, .recorded_at, .consolidated_at, .consolidator, .generation, .stale_since,
    .calls}"""
# What goes when something below is deleted, with the `sessions` of all but windows; `emptied_body` says the same of the embedded store.
WORDS = ("title", "text", "sentences", "sentence_sources", "names", "v16")
_LISTS = ("sentences", "sentence_sources", "sessions", "names", "calls")


def summary_properties(
    summary: Summary, namespace: str, key: int, session_key: int | None, vector: Float16Vector | None = None
) -> dict[str, Any]:
    """A summary, without what its edges say. `session_key` is of windows; what would be empty is left out."""
    properties = {
        "namespace": namespace,
        "id": summary.id,
        "key": key,
        "session_key": session_key,
        "level": summary.level.name,
        "title": summary.title or None,
        "text": summary.text or None,
        "sentences": [sentence.text for sentence in summary.sentences],
        "sentence_sources": [" ".join(sentence.source_ids) for sentence in summary.sentences],
        "sessions": list(summary.sessions),
        "names": list(summary.names),
        "said_from": to_micros(summary.said_from),
        "said_to": to_micros(summary.said_to),
        "starts_at": to_micros(summary.time.start),
        "ends_at": to_micros(summary.time.end),
        "time_granularity": summary.time.granularity.name,
        "time_expression": summary.time.expression or None,
        "recorded_at": to_micros(summary.recorded_at),
        "consolidated_at": to_micros(summary.consolidated_at),
        "consolidator": summary.consolidator,
        "generation": summary.generation,
        "stale_since": None if summary.stale_since is None else to_micros(summary.stale_since),
        "calls": list(summary.calls),
        "v16": None if vector is None else vector_bytes(vector),
    }
    return {name: value for name, value in properties.items() if value is not None and value != []}


def vector_bytes(vector: Float16Vector) -> bytes:
    """A vector as `v16` holds it."""
    return vector.astype("<f2").tobytes()


def summary_of(row: Mapping[str, Any], members: Sequence[str] = (), seeds: Sequence[tuple[str, str]] = ()) -> Summary:
    """The summary of a SUMMARY_PROJECTION and of what its edges say. `seeds`: ids and similarities."""
    sentences, sources, sessions, names, calls = (row[name] or () for name in _LISTS)
    start, end = from_micros(row["starts_at"]), from_micros(row["ends_at"])
    return Summary(
        id=row["id"],
        level=SummaryLevel[row["level"]],
        title=row["title"] or "",
        sentences=tuple(SummarySentence(text, tuple(ids.split(" "))) for text, ids in zip(sentences, sources, strict=True)),
        member_ids=tuple(members),
        time=TimeSpan(start, end, Granularity[row["time_granularity"]], row["time_expression"] or ""),
        said_from=from_micros(row["said_from"]),
        said_to=from_micros(row["said_to"]),
        recorded_at=from_micros(row["recorded_at"]),
        consolidated_at=from_micros(row["consolidated_at"]),
        consolidator=row["consolidator"],
        generation=row["generation"],
        sessions=tuple(sessions),
        names=tuple(names),
        seeds=tuple(_seed(*seed) for seed in seeds),
        stale_since=None if row["stale_since"] is None else from_micros(row["stale_since"]),
        calls=tuple(calls),
    )


def vector_of(blob: bytes) -> Float16Vector:
    """The vector of a `v16`."""
    return np.frombuffer(blob, "<f2").astype(np.float16, copy=False)


def _seed(event_id: str, similarity: str | None) -> Seed:
    return seed_of(event_id, {} if similarity is None else {"similarity": similarity})
