"""The consolidation of one conversation as the service does it: in a store, with seeds, vectors and writes."""

import tempfile
import time
from datetime import timedelta
from pathlib import Path

from bench.dataset import Conversation
from bench.report import BenchError
from extract.consolidate.local import LocalConsolidator
from extract.consolidate.pipeline import ConsolidationPipeline, ConsolidationSettings
from extract.embed import Embedder
from extract.leased_work import LeasedWork
from extract.local import local_extractors
from extract.pipeline import ExtractionPipeline, PipelineSettings
from graph.clock import SystemClock
from graph.model import ExtractionMode, JobKind, Role, UuidSource
from graph.store.port import AppendCommand, JobAttemptFailed, MessageDraft, NamespaceSpec, Store
from service.composition import make_store
from service.settings import Settings

_NAME = "bench"
_LEASE = timedelta(minutes=30)


async def job_cpu(conversation: Conversation, embedder: Embedder) -> float:
    """Seconds of CPU, of all threads, that the job takes once everything is extracted. Raises BenchError when it fails."""
    with tempfile.TemporaryDirectory() as directory:
        clock = SystemClock()
        store = make_store(Settings.model_validate({"data_dir": Path(directory) / "data"}), clock)
        await store.open()
        try:
            await store.create_namespace(NamespaceSpec(_NAME, embedder.spec, ExtractionMode.EVENT))
            memory = store.namespace(_NAME)
            for session in conversation.sessions:
                drafts = tuple(MessageDraft(m.speaker, Role[m.role.upper()], m.text, m.sent_at) for m in session.messages)
                for start in range(0, len(drafts), 500):
                    await memory.append(AppendCommand(session.id, drafts[start : start + 500], timedelta(0)))
            await memory.flush("")
            settings = PipelineSettings(_LEASE, turn=_LEASE)
            await _run(store, JobKind.EXTRACTION, ExtractionPipeline(store, embedder, local_extractors(), UuidSource(), clock, settings))
            how = ConsolidationSettings(_LEASE, turn=_LEASE)
            consolidation = ConsolidationPipeline(store, embedder, LocalConsolidator(), UuidSource(), clock, how)
            await memory.queue_consolidation()
            began = time.process_time()
            await _run(store, JobKind.CONSOLIDATION, consolidation)
            return time.process_time() - began
        finally:
            await store.close()


async def _run(store: Store, kind: JobKind, work: LeasedWork) -> None:
    while (lease := await store.lease_job("bench", _LEASE, {kind})) is not None:
        outcome = await work.run(lease)
        if outcome is None or isinstance(outcome, JobAttemptFailed):
            raise BenchError(f"a job of {kind.name.lower()} failed")
        await store.namespace(lease.job.namespace).finish_job(lease, outcome)
