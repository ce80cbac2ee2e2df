"""Resolves what a query names (ids, sessions, labels) to keys of the file, for the search index."""

from collections.abc import Sequence

import apsw
import numpy as np
from numpy.typing import NDArray

from graph.model import LabelCondition, LabelFilter, NodeKind
from graph.store.candidates import CandidateQuery
from graph.store.embedded.files.connection import json_list
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.rules.index_queries import ResolvedNames


def resolved_names(db: apsw.Connection, query: CandidateQuery) -> ResolvedNames:
    """The keys behind the query's names."""
    chosen = query.filter
    return ResolvedNames(
        frozenset(session_keys(db, chosen.sessions)) if chosen.sessions else None,
        labelled_messages(db, chosen.labels) if chosen.labels else None,
        _sorted_keys(db, query.include),
        frozenset(session_keys(db, chosen.not_sessions)),
        _sorted_keys(db, chosen.not_ids),
    )


def _sorted_keys(db: apsw.Connection, ids: Sequence[str]) -> NDArray[np.int64]:
    return np.array(sorted(keys_of(db, ids).values()), dtype=np.int64)


def session_keys(db: apsw.Connection, names: Sequence[str]) -> list[int]:
    """Keys of the sessions that exist among these names."""
    return [key for (key,) in db.executemany("SELECT key FROM sessions WHERE name = ?", [(name,) for name in dict.fromkeys(names)])]


def labelled_messages(db: apsw.Connection, labels: LabelFilter) -> NDArray[np.int64]:
    """Keys of the messages whose labels pass, ascending."""
    passing: set[int] | None = None
    for condition in labels.all_of:
        found = _having(db, condition)
        passing = found if passing is None else passing & found
    if labels.any_of:
        found = set().union(*(_having(db, condition) for condition in labels.any_of))
        passing = found if passing is None else passing & found
    if passing is None:
        passing = {key for (key,) in db.execute(f"SELECT key FROM nodes WHERE kind = {NodeKind.MESSAGE:d}")}
    for condition in labels.none_of:
        passing = passing - _having(db, condition)
    return np.array(sorted(passing), dtype=np.int64)


def _having(db: apsw.Connection, condition: LabelCondition) -> set[int]:
    rows = db.execute(
        "SELECT message FROM labels WHERE name = ?1 AND (?2 = '[]' OR value IN (SELECT value FROM json_each(?2)))",
        (condition.key, json_list(condition.values)),
    )
    return {key for (key,) in rows}
