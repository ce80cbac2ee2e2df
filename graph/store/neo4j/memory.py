"""`Neo4jMemory`: the port's handle of one namespace. Each intent is the function that knows it, as a method of the handle."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from graph.model import Job, to_micros
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.neo4j import (
    changes,
    consolidation,
    deletion,
    description,
    exporting,
    extraction,
    generations,
    links,
    listings,
    namespaces,
    receipts,
    scope,
    summaries,
    walk,
)
from graph.store.neo4j.append import append as append_messages
from graph.store.neo4j.checking import namespace_check
from graph.store.neo4j.driver.database import Database, namespace_key
from graph.store.neo4j.driver.handle import Handle, writing
from graph.store.neo4j.jobs import job_control, leases, pending_work
from graph.store.neo4j.jobs.waiting import JobWatch
from graph.store.neo4j.rows import node_edges, node_reading, usage_rows, vector_rows
from graph.store.neo4j.searching import Searcher
from graph.store.port import AppendCommand, AppendOutcome, ConsistencyPoint, ExportRecord, Missing, UsageEntry
from graph.store.waiting import wait_for_job_change


class Neo4jMemory(Handle):
    """One namespace of a Neo4j database. Implements `graph.store.port.Memory`."""

    update = writing(namespaces.update)
    query_scope = scope.query_scope

    begin_generation = generations.begin_generation
    commit_extraction = extraction.commit_extraction
    missing_vectors = pending_work.missing_vectors
    put_vectors = vector_rows.put_vectors
    usage = description.usage
    delete = deletion.delete
    deletions = receipts.deletions
    deletion = receipts.deletion
    deleted_items = receipts.deleted_items
    decide_link = writing(links.decide_link)
    supersessions = changes.supersessions
    replaced = changes.replaced
    revert = writing(changes.revert)

    consolidation_work = consolidation.consolidation_work
    commit_consolidation = writing(consolidation.commit_consolidation)
    queue_consolidation = writing(consolidation.queue_consolidation)
    list_summaries = summaries.list_summaries
    first_vectors = summaries.first_vectors
    searched_summaries = summaries.searched_summaries

    flush = writing(job_control.flush)
    pending = pending_work.pending
    renew = writing(leases.renew)
    finish_job = writing(leases.finish_job)
    get_job = job_control.get_job
    list_jobs = job_control.list_jobs
    expedite_job = writing(job_control.expedite_job)
    cancel_job = writing(job_control.cancel_job)
    retry_job = writing(job_control.retry_job)

    get_nodes = node_reading.get_nodes
    get_nodes_within = node_reading.get_nodes_within
    get_node_edges = node_edges.get_node_edges
    get_session = node_reading.get_session
    last_messages = listings.last_messages
    list_sessions = listings.list_sessions
    list_messages = listings.list_messages
    list_events = listings.list_events
    list_statements = listings.list_statements
    list_entities = listings.list_entities
    neighbourhood = walk.neighbourhood
    known_before = walk.known_before
    describe = description.describe
    check = namespace_check.check

    def __init__(
        self, database: Database, searcher: Searcher, watch: JobWatch, name: str, at_least: ConsistencyPoint | None, missing: Missing | None
    ) -> None:
        super().__init__(database, name, at_least, missing)
        self._searcher = searcher
        self._watch = watch

    async def add_usage(self, usage: Sequence[UsageEntry]) -> None:
        """See `Memory.add_usage`."""
        if usage:
            await self.write(lambda tx: usage_rows.add_usage(tx, usage))

    def position(self) -> tuple[str, ...]:
        """See `Memory.position`."""
        return tuple(sorted(self.connection.positions.of(self.name)))

    async def append(self, command: AppendCommand) -> AppendOutcome:
        """See `Memory.append`. Answered within three times the store's patience, whatever becomes of the server."""
        async with self.connection.answered():
            return await append_messages(self, command)

    async def wait_for_job_change(self, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """See `Memory.wait_for_job_change`."""
        return await wait_for_job_change(
            self.database.changed,
            (job_id, namespace_key(self.name)),
            lambda: self.get_job(job_id),
            seen,
            timeout,
            lambda job: self._watch.watching((self.name, job_id, to_micros(job.updated_at))),
        )

    async def candidates(self, query: CandidateQuery) -> Candidates:
        """See `Memory.candidates`."""
        async with self.reading():
            uid, found = await self._searcher.candidates(self.name, query)
        self.found(uid, found.revision)
        return found

    def export(self, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """See `Memory.export`. Raises StaleWrite when something is deleted or extracted anew meanwhile."""
        return exporting.export(self, with_vectors)
