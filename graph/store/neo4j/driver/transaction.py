"""A write to one namespace: it locks the namespace's node first, so that writes come one after the other, and revisions in commit order.

Nothing is read before the lock is held: what a query has read once it does not read again, and another writer may change it meanwhile.
Who begins and commits it, durably, is `Database.write`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from neo4j import AsyncTransaction

from graph.errors import NamespaceNotFound
from graph.model import IdSource, Namespace, to_micros
from graph.store.candidates import StatisticsGroup
from graph.store.neo4j.driver.change_log import Operation, packed_keys
from graph.store.neo4j.driver.connection import Row, packed
from graph.store.neo4j.driver.term_statistics import GroupDelta
from graph.store.neo4j.rows.namespace_rows import NamespaceState, namespace_of
from graph.store.port import Clock
from graph.store.rules.reanalysis import refuse_newer_analyser
from graph.store.signals import WORK

# The clock is read after the lock is held: those of the transaction and the statement stand still while it waits.
_LOCK = """MATCH (n:Namespace {name: $namespace}) SET n.locked = $at.write
    WITH count(*) AS held MATCH (n:Namespace {name: $namespace})
    WITH n, datetime.realtime() AS now"""
_RETURN = "RETURN properties(n), now.epochSeconds * 1000000 + now.microsecond"
_FINISH = """MATCH (n:Namespace {name: $namespace}) SET n += $at.counters
    FOREACH (job IN $at.jobs | MERGE (j:Job {namespace: $namespace, id: job.id}) SET j += job)"""
_FINISH_REVISION = f"{_FINISH} CREATE (c:Change) SET c = $at.change"
_COMMITTED = """OPTIONAL MATCH (c:Change {namespace: $namespace, revision: $at.revision}) RETURN c.write"""
_COUNTERS = (
    "revision",
    "next_key",
    "next_job",
    "epoch",
    "statistics_revision",
    "statistics_terms",
    "statistics_tail",
)
# Revisions that a namespace from before there were summaries, or edges of change, does not have.
_LATER_COUNTERS = ("removed_revision", "summaries_revision", "changes_revision")


@dataclass(frozen=True, slots=True)
class Prefetch:
    """What a write reads first, in the round trip that locks the namespace: a subquery of one row and one column, `prefetched`."""

    subquery: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Attempted:
    """A write whose commit may or may not have happened: its id, the revision that it makes (0: none), its answer, and whom it wakes."""

    write: str
    revision: int
    answer: Any
    wakes: tuple[str, ...]


class Transaction:
    """What a write holds while it is under way.

    Attributes:
        write: its id, the same when it is tried again.
        namespace: as it was at the start. `token` starts its texts' terms in the full-text index.
        now: the store's clock, in microseconds, when the lock was held.
        ids: mints ids.
        revision: that of the namespace once this is committed.
        prefetched: what the write's `Prefetch` found.
        changed_jobs: ids of jobs that changed, so that those who watch them look again.
        touched_jobs: set it when jobs have become due earlier or later, so that those who wait for work look again.
    """

    def __init__(
        self, tx: AsyncTransaction, write: str, properties: Mapping[str, Any], now: int, ids: IdSource, prefetched: Any = None
    ) -> None:
        self._tx = tx
        self.ids = ids
        self.prefetched = prefetched
        self._jobs: dict[str, Mapping[str, Any]] = {}
        self.write = write
        self._counters = {name: properties[name] for name in _COUNTERS}
        self._counters |= {name: properties[name] for name in _LATER_COUNTERS if name in properties}
        self._began_with = dict(self._counters)
        self._last_write = properties["last_write"]
        self._changes: dict[Operation, list[int]] = {}
        self._groups = {group: GroupDelta() for group in StatisticsGroup}
        self.stepped = False
        self.wrote = False
        self.namespace: Namespace = namespace_of(properties)
        self.name = self.namespace.name
        self.token: str = properties["token"]
        self.now = now
        self.touched_jobs = False
        self.changed_jobs: set[str] = set()

    @property
    def revision(self) -> int:
        """The newest revision once this is committed."""
        return int(self._counters["revision"])

    async def rows(self, query: str, parameters: Mapping[str, Any] | None = None, named: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a query that reads. `$namespace` is the namespace's name, `$at` holds the parameters; `named` stand by themselves."""
        result = await self._tx.run(query, packed(self.name, parameters) | dict(named or {}))
        return await result.values()

    async def execute(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a query that writes."""
        self.wrote = True
        return await self.rows(query, parameters)

    def keys(self, count: int) -> range:
        """Keys for `count` new nodes; never handed out before."""
        return self._take("next_key", count)

    def job_key(self) -> int:
        """The key of a new job."""
        return self._take("next_job", 1)[0]

    def next_epoch(self) -> int:
        """A lease epoch greater than every one before it."""
        self._counters["epoch"] += 1
        return int(self._counters["epoch"])

    def _take(self, counter: str, count: int) -> range:
        first = int(self._counters[counter])
        self._counters[counter] = first + count
        return range(first, first + count)

    def put_job(self, job_id: str, properties: Mapping[str, Any]) -> None:
        """Writes a job, a new one or a changed one, with the commit; those who watch it look again."""
        self.prolong_job(job_id, properties)
        self.changed_jobs.add(job_id)

    def prolong_job(self, job_id: str, properties: Mapping[str, Any]) -> None:
        """Writes a job of which only the end of its lease changed."""
        self._jobs[job_id] = properties
        self.touched_jobs = True

    def changed(self, operation: Operation, keys: Iterable[int]) -> None:
        """Logs a change of nodes (of passages, when they were embedded)."""
        self._changes.setdefault(operation, []).extend(keys)
        self.step()

    def count_passage(self, group: StatisticsGroup, hashes: bytes, length: int, sign: int = 1) -> None:
        """A passage with these terms comes, or goes (-1)."""
        self._groups[group].count(hashes, length, sign)

    def step(self) -> None:
        """This write makes a new revision."""
        if not self.stepped:
            self._counters["revision"] += 1
            self.stepped = True

    @property
    def removed_revision(self) -> int:
        """The revision of the last write that deleted or retired anything, 0 where there was none."""
        return int(self._counters.get("removed_revision", 0))

    def something_removed(self) -> None:
        """Consolidations that read before this write can not be committed after it."""
        self.step()
        self._counters["removed_revision"] = self.revision

    def summaries_changed(self) -> None:
        """Whoever searches summaries reads them again."""
        self.step()
        self._counters["summaries_revision"] = self.revision

    def supersessions_changed(self) -> None:
        """Whoever searches reads anew what replaced what."""
        self.step()
        self._counters["changes_revision"] = self.revision

    async def finish(self) -> None:
        """Writes the log and the counters; before the commit nothing but upkeep comes after it."""
        if self.stepped:
            await self._log()
        elif self.wrote or self._jobs or self._counters != self._began_with:
            await self.write_counters()

    async def write_counters(self) -> None:
        """Writes the counters, and the jobs that changed."""
        await self.execute(_FINISH, self._told())

    @property
    def statistics(self) -> tuple[int, int, int]:
        """Of the term statistics: up to which revision they are summed, over how many terms, and how many differences came since."""
        return (self._counters["statistics_revision"], self._counters["statistics_terms"], self._counters["statistics_tail"])

    def folded(self, terms: int) -> None:
        """The term statistics are now summed up to this revision, over so many terms."""
        self._counters |= {"statistics_revision": self.revision, "statistics_terms": terms, "statistics_tail": 0}

    async def _log(self) -> None:
        change: dict[str, Any] = {"namespace": self.name, "revision": self.revision, "write": self.write}
        change |= {operation.value: packed_keys(keys) for operation, keys in self._changes.items() if keys}
        for group, delta in self._groups.items():
            told = delta.properties(group)
            change |= told
            self._counters["statistics_tail"] += sum(len(value) // 8 for name, value in told.items() if name.endswith("_hashes"))
        await self.execute(_FINISH_REVISION, {**self._told(), "change": change})

    def _told(self) -> dict[str, Any]:
        return {"counters": {**self._counters, "last_write": self.write}, "jobs": list(self._jobs.values())}

    async def committed(self, attempted: Attempted) -> bool:
        """Whether a write of which nobody knows did commit. One that made no revision is known only while none came after it; such
        a one may be repeated: it changes jobs, or adds to the usage, which keeps the ids of what was added last."""
        if not attempted.revision:
            return bool(self._last_write == attempted.write)
        [[write]] = await self.rows(_COMMITTED, {"revision": attempted.revision})
        return bool(write == attempted.write)

    def attempted(self, answer: Any) -> Attempted:
        """What is known of this write just before its commit."""
        wakes = (*self.changed_jobs, WORK) if self.touched_jobs or self.changed_jobs else ()
        return Attempted(self.write, self.revision if self.stepped else 0, answer, wakes)


async def lock_namespace(
    tx: AsyncTransaction, name: str, write: str, clock: Clock | None, ids: IdSource, prefetch: Prefetch | None = None
) -> Transaction:
    """The transaction, with the namespace to itself. `clock` replaces the server's.

    Raises:
        NotFound: there is no such namespace.
        Conflict: a newer analyser has read its texts; what this one makes of a text would not be found there.
    """
    query = f"{_LOCK} {_RETURN}" if prefetch is None else f"{_LOCK} {prefetch.subquery} {_RETURN}, prefetched"
    result = await tx.run(query, packed(name, {"write": write, **(prefetch.parameters if prefetch else {})}))
    found = await result.values()
    if not found or found[0][0]["state"] != NamespaceState.ACTIVE:
        raise NamespaceNotFound(name)
    properties, now, *prefetched = found[0]
    refuse_newer_analyser(properties.get("analyser", 0))
    return Transaction(tx, write, properties, now if clock is None else to_micros(clock.now()), ids, *prefetched)
