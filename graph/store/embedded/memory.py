"""`EmbeddedMemory`: the port's handle of one namespace. Each intent is the function that knows it, as a method of the handle."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from graph.model import Job, Lease, Namespace, to_micros
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.embedded import (
    changes,
    checks,
    consolidation,
    deletion,
    description,
    extraction,
    generations,
    links,
    listings,
    namespaces,
    receipts,
    walk,
)
from graph.store.embedded.append import append as append_messages
from graph.store.embedded.exporting import export
from graph.store.embedded.files.handle import Handle, reading, reading_with_settings, with_file, writing
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.jobs import job_control, leases, pending_work
from graph.store.embedded.rows import edge_rows, node_rows, usage_rows, vector_rows
from graph.store.port import ConsolidationWork, ExportRecord, Finding, GraphDescription, NamespaceChange, PendingWork, UsageEntry
from graph.store.waiting import wait_for_job_change


class EmbeddedMemory(Handle):
    """One namespace of a data directory. Implements `graph.store.port.Memory`."""

    settings = reading_with_settings(namespaces.complete)
    query_scope = reading_with_settings(description.query_scope)

    append = with_file(append_messages)
    begin_generation = writing(generations.begin_generation)
    commit_extraction = with_file(extraction.commit_extraction)
    commit_consolidation = writing(consolidation.commit_consolidation)
    queue_consolidation = writing(consolidation.queue_consolidation)
    list_summaries = reading(consolidation.list_summaries)
    first_vectors = reading(consolidation.first_vectors)
    searched_summaries = reading(consolidation.searched_summaries)
    missing_vectors = reading(pending_work.missing_vectors)
    put_vectors = writing(vector_rows.put_vectors)
    usage = reading(description.usage)
    delete = with_file(deletion.delete)
    deletions = reading(receipts.deletions)
    deletion = reading(receipts.deletion)
    deleted_items = reading(receipts.deleted_items)
    decide_link = writing(links.decide_link)
    supersessions = reading(changes.supersessions)
    replaced = reading(changes.replaced)
    revert = writing(changes.revert)

    flush = writing(job_control.flush)
    renew = writing(leases.renew)
    finish_job = writing(leases.finish_job)
    get_job = reading_with_settings(job_control.get_job)
    list_jobs = reading_with_settings(job_control.list_jobs)
    expedite_job = writing(job_control.expedite_job)
    cancel_job = writing(job_control.cancel_job)
    retry_job = writing(job_control.retry_job)

    get_nodes = reading(node_rows.get_nodes)
    get_nodes_within = reading(node_rows.get_nodes_within)
    get_node_edges = reading(edge_rows.get_node_edges)
    get_session = reading(node_rows.get_session)
    last_messages = reading(listings.last_messages)
    list_sessions = reading(listings.list_sessions)
    list_messages = reading(listings.list_messages)
    list_events = reading(listings.list_events)
    list_statements = reading(listings.list_statements)
    list_entities = reading(listings.list_entities)
    neighbourhood = reading(walk.neighbourhood)
    known_before = reading(walk.known_before)

    async def update(self, change: NamespaceChange) -> Namespace:
        """See `Memory.update`."""
        return await self.call(lambda file, _: namespaces.update(self.engine, file, change))

    async def add_usage(self, usage: Sequence[UsageEntry]) -> None:
        """See `Memory.add_usage`."""
        if usage:
            await self.write(lambda tx: usage_rows.add_usage(tx, usage))

    def position(self) -> tuple[str, ...]:
        """See `Memory.position`. There is one copy: a revision says it all."""
        return ()

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """See `Memory.pending`."""
        now = self.engine.clock.now
        return await self.read(lambda db, _: pending_work.pending(db, to_micros(now()), lease, limit))

    async def consolidation_work(self, lease: Lease, limit: int) -> ConsolidationWork:
        """See `Memory.consolidation_work`."""
        now = self.engine.clock.now
        return await self.read(lambda db, _: consolidation.consolidation_work(db, to_micros(now()), lease, limit))

    async def wait_for_job_change(self, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """See `Memory.wait_for_job_change`."""
        uid = await self.call(lambda _, settings: settings.uid)
        return await wait_for_job_change(self.engine.jobs.changed, (job_id, uid), lambda: self.get_job(job_id), seen, timeout)

    async def describe(self) -> GraphDescription:
        """See `Memory.describe`."""

        def described(file: NamespaceFile, settings: Namespace) -> GraphDescription:
            found = description.describe(file)
            self.require(settings.uid, found.revision)
            return found

        return await self.call(described)

    async def candidates(self, query: CandidateQuery) -> Candidates:
        """See `Memory.candidates`."""

        def searched(file: NamespaceFile, settings: Namespace) -> Candidates:
            found = self.engine.search(file, settings, query)
            self.require(settings.uid, found.revision)
            return found

        return await self.call(searched)

    async def check(self) -> list[Finding]:
        """See `Memory.check`."""
        return await self.call(lambda file, settings: checks.check(file, settings, partial(self.require, settings.uid)))

    def export(self, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """See `Memory.export`."""
        return export(self, with_vectors)
