"""Random sequences of intents against a model that is a few dictionaries: whatever the order, the store keeps its word."""

import asyncio
import itertools
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from graph.errors import DuplicateMessage, LeaseLost, NotFound, RequestReused, StaleWrite
from graph.model import EmbeddingSpec, ExtractionMode, ExtractorSpec, JobKind, MemoryFilter, NodeKind, Role, Statement, UuidSource
from graph.store.candidates import CandidateQuery
from graph.store.port import (
    AppendCommand,
    AppendOutcome,
    Deletion,
    ExtractionWrite,
    GenerationStart,
    JobDeferred,
    JobSucceeded,
    MessageDraft,
    MessageQuery,
    NamespaceSpec,
    PassageVector,
    StatementQuery,
)
from graph.text import terms_of

SESSIONS = st.sampled_from(["s1", "s2"])
SPEC = EmbeddingSpec("test", "f", 8)
WORDS = st.sampled_from(["ferry", "boat", "garden", "music"])


class Clock:
    def __init__(self):
        self.time = datetime(2025, 1, 1, tzinfo=UTC)

    def now(self):
        return self.time


@dataclass
class Kept:
    """What the model knows of a message."""

    id: str
    session: str
    seq: int
    text: str
    client_id: str


@dataclass
class Model:
    messages: dict[str, Kept] = field(default_factory=dict)
    statements: dict[str, tuple[str, str]] = field(default_factory=dict)
    last_seq: dict[str, int] = field(default_factory=dict)
    watermark: dict[str, int] = field(default_factory=dict)
    embedded: set[str] = field(default_factory=set)
    requests: dict[str, tuple[AppendCommand, AppendOutcome]] = field(default_factory=dict)
    generation: int = 0

    def of(self, session):
        return [m for m in self.messages.values() if m.session == session]


class StoreMachine(RuleBasedStateMachine):
    """Appends, embeds, leases, commits, deletes, moves, restarts and crashes in any order."""

    def __init__(self, make_store):
        super().__init__()
        self.make_store = make_store
        self.loop = asyncio.new_event_loop()
        self.place = tempfile.TemporaryDirectory()
        self.clock, self.ids, self.model = Clock(), UuidSource(), Model()
        self.leases = []
        self.numbers = itertools.count()
        self.home = Path(self.place.name) / "0" / "data"
        self.store = self.opened()
        for left in self.run(self.store.list_namespaces("", "", 100)):  # of the example before, where the store is not in a directory
            self.run(self.store.delete_namespace(left.name))

    def run(self, work):
        return self.loop.run_until_complete(work)

    @property
    def shared(self):
        """Whether other processes may use the store as well: it is in no directory of its own."""
        return not self.home.exists()

    def opened(self):
        store = self.make_store(self.home, self.clock, self.ids)
        self.run(store.open())
        return store

    def teardown(self):
        self.run(self.store.close())
        self.loop.close()
        self.place.cleanup()

    @initialize()
    def create(self):
        self.run(self.store.create_namespace(NamespaceSpec("n", SPEC, ExtractionMode.EVENT)))

    @rule(session=SESSIONS, words=st.lists(WORDS, min_size=1, max_size=3), client=st.sampled_from(["", "", "c1", "c2"]))
    def append(self, session, words, client):
        drafts = tuple(
            MessageDraft("Ana", Role.USER, word, self.clock.time, client if index == 0 else "") for index, word in enumerate(words)
        )
        known = next((m for m in self.model.of(session) if client and m.client_id == client), None)
        work = self.store.namespace("n").append(AppendCommand(session, drafts, timedelta(seconds=10)))
        if known is not None and (known.text != words[0] or self.time_of(known) != self.clock.time):
            try:
                self.run(work)
            except DuplicateMessage:
                return
            raise AssertionError("other content under a known client_id went in")
        outcome = self.run(work)
        for index, (draft, placed) in enumerate(zip(drafts, outcome.messages, strict=True)):
            if index == 0 and known is not None:
                assert (placed.id, placed.seq, placed.duplicate) == (known.id, known.seq, True)
                continue
            self.model.last_seq[session] = self.model.last_seq.get(session, 0) + 1
            assert (placed.seq, placed.duplicate) == (self.model.last_seq[session], False)
            kept = Kept(placed.id, session, placed.seq, draft.text, draft.client_id)
            self.model.messages[placed.id] = kept
            self.times[placed.id] = draft.sent_at

    @rule(session=SESSIONS, words=st.lists(WORDS, min_size=1, max_size=2), request=st.sampled_from(["r1", "r2"]))
    def append_with_request_id(self, session, words, request):
        drafts = tuple(MessageDraft("Ana", Role.USER, word, self.clock.time) for word in words)
        command = AppendCommand(session, drafts, timedelta(seconds=10), request_id=request)
        first = self.model.requests.get(request)
        if first is not None and (first[0].session, first[0].messages) != (session, drafts):
            try:
                self.run(self.store.namespace("n").append(command))
            except RequestReused:
                return
            raise AssertionError("another body under a known request_id went in")
        outcome = self.run(self.store.namespace("n").append(command))
        if first is not None:
            assert [(m.id, m.seq) for m in outcome.messages] == [(m.id, m.seq) for m in first[1].messages]
            return
        self.model.requests[request] = (command, outcome)
        self.took(session, drafts, outcome)

    @precondition(lambda self: self.model.requests)
    @rule(data=st.data())
    def repeat_a_request(self, data):
        command, first = self.model.requests[data.draw(st.sampled_from(sorted(self.model.requests)))]
        outcome = self.run(self.store.namespace("n").append(command))
        assert [(m.id, m.seq) for m in outcome.messages] == [(m.id, m.seq) for m in first.messages]

    def took(self, session, drafts, outcome):
        for draft, placed in zip(drafts, outcome.messages, strict=True):
            self.model.last_seq[session] = self.model.last_seq.get(session, 0) + 1
            assert (placed.seq, placed.duplicate) == (self.model.last_seq[session], False)
            self.model.messages[placed.id] = Kept(placed.id, session, placed.seq, draft.text, draft.client_id)
            self.times[placed.id] = draft.sent_at

    @rule(session=SESSIONS, count=st.integers(1, 4))
    def embed(self, session, count):
        waiting = self.run(self.store.namespace("n").missing_vectors(session, 1_000))
        expected = {m.id for m in self.model.of(session)} | {
            id_ for id_, (_, message) in self.model.statements.items() if self.model.messages[message].session == session
        }
        assert {passage.owner_id for passage in waiting} == expected - self.model.embedded
        some = waiting[:count]
        vectors = [PassageVector(passage.owner_id, passage.ordinal, unit(passage.text)) for passage in some]
        assert self.run(self.store.namespace("n").put_vectors(SPEC.fingerprint, vectors)) == len(some)
        assert self.run(self.store.namespace("n").put_vectors(SPEC.fingerprint, vectors)) == 0, "a vector that is there was stored again"
        self.model.embedded |= {passage.owner_id for passage in some}

    @property
    def times(self):
        return self.__dict__.setdefault("_times", {})

    def time_of(self, kept):
        return self.times[kept.id]

    @rule(session=SESSIONS)
    def flush(self, session):
        try:
            self.run(self.store.namespace("n").flush(session))
        except NotFound:
            assert session not in self.model.last_seq

    @rule(seconds=st.sampled_from([1, 11, 70]))
    def wait(self, seconds):
        self.clock.time += timedelta(seconds=seconds)

    @rule()
    def lease(self):
        lease = self.run(self.store.lease_job("w", timedelta(seconds=60), [JobKind.EXTRACTION]))
        if lease is not None:
            held = [other for other in self.leases if other.expires_at > self.clock.time and other.job.session == lease.job.session]
            assert not held, "one session's jobs ran at once"
            self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), step=st.integers(1, 3))
    def commit(self, data, step):
        lease = data.draw(st.sampled_from(self.leases))
        session = lease.job.session
        try:
            work = self.run(self.store.namespace(lease.job.namespace).pending(lease, 100))
        except LeaseLost:
            assert lease.expires_at <= self.clock.time or session not in self.model.last_seq or lease not in self.current_leases()
            return
        assert work.watermark == self.model.watermark.get(session, 0)
        waiting = [m for m in self.model.of(session) if m.seq > work.watermark]
        assert [m.text for m in work.messages] == [m.text for m in waiting][: len(work.messages)]
        taken = work.messages[:step]
        if not taken:
            return
        statements = tuple(
            Statement(
                self.ids.mint("fct"), NodeKind.FACT, session, f"said {m.text} {next(self.numbers)}", "Ana", m.sent_at, m.sent_at, (m.id,)
            )
            for m in taken
        )
        write = ExtractionWrite(work.generation, work.watermark, taken[-1].seq, statements)
        self.run(self.store.namespace(lease.job.namespace).commit_extraction(lease, write))
        try:
            self.run(self.store.namespace(lease.job.namespace).commit_extraction(lease, write))
        except StaleWrite:
            pass
        else:
            raise AssertionError("the same step was committed twice")
        self.model.watermark[session] = taken[-1].seq
        self.model.statements |= {s.id: (s.text, m.id) for s, m in zip(statements, taken, strict=True)}

    def current_leases(self):
        latest = {}
        for lease in self.leases:
            latest[lease.job.id] = lease
        return list(latest.values())

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), done=st.booleans())
    def finish(self, data, done):
        lease = data.draw(st.sampled_from(self.leases))
        outcome = JobSucceeded() if done else JobDeferred(self.clock.time + timedelta(seconds=5))
        with suppress(LeaseLost):
            self.run(self.store.namespace(lease.job.namespace).finish_job(lease, outcome))
        self.leases.remove(lease)

    @rule(version=st.sampled_from(["1", "2"]))
    def begin_generation(self, version):
        number = self.run(self.store.namespace("n").begin_generation(GenerationStart(ExtractorSpec("x", version, ExtractionMode.EVENT))))
        if number != self.model.generation:
            if self.model.generation:
                self.model.statements = {}
                self.model.watermark = {}
            assert number == self.model.generation + 1
            self.model.generation = number

    @precondition(lambda self: self.model.messages)
    @rule(data=st.data())
    def delete_message(self, data):
        id_ = data.draw(st.sampled_from(sorted(self.model.messages)))
        resting = [s for s, (_, message) in self.model.statements.items() if message == id_]
        receipt = self.run(self.store.namespace("n").delete(Deletion((id_,))))
        assert receipt.counts[NodeKind.MESSAGE] == 1
        assert receipt.counts.get(NodeKind.FACT, 0) >= len(resting)
        del self.model.messages[id_]
        for statement in resting:
            del self.model.statements[statement]

    @precondition(lambda self: self.model.last_seq)
    @rule(data=st.data())
    def delete_session(self, data):
        session = data.draw(st.sampled_from(sorted(self.model.last_seq)))
        self.run(self.store.namespace("n").delete(Deletion(session=session)))
        gone = {m.id for m in self.model.of(session)}
        self.model.messages = {id_: m for id_, m in self.model.messages.items() if id_ not in gone}
        self.model.statements = {s: (text, m) for s, (text, m) in self.model.statements.items() if m not in gone}
        self.model.last_seq.pop(session)
        self.model.watermark.pop(session, None)
        self.leases = [lease for lease in self.leases if lease.job.session != session]

    @rule()
    def restart(self):
        self.run(self.store.close())
        self.reopen()

    @rule()
    def crash(self):
        """What a restart finds after `kill -9`: the files as they are, but for what lived in shared memory.

        A store whose data another server keeps finds all of it; what becomes of its writes under way is for the tests of faults.
        """
        if self.shared:
            return self.restart()
        home = self.home.parent.with_name(str(int(self.home.parent.name) + 1)) / self.home.name
        shutil.copytree(self.home, home, ignore=shutil.ignore_patterns("*-shm"))
        self.run(self.store.close())
        shutil.rmtree(self.home)
        self.home = home
        self.reopen()

    def reopen(self):
        self.store = self.opened()
        if not self.shared:
            self.leases = []  # they end with the process that held them

    @rule(with_vectors=st.booleans())
    def move(self, with_vectors):
        """A copy made by export and import is the same memory, and goes again."""

        async def records(name):
            return [batch async for batch in self.store.namespace(name).export(with_vectors)]

        async def stream(batches):
            for batch in batches:
                yield batch

        source, before = self.run(self.store.namespace("n").settings()), self.run(records("n"))
        self.run(self.store.import_namespace(replace(source, name="copy"), stream(before)))
        assert repr(list(itertools.chain(*self.run(records("copy"))))) == repr(list(itertools.chain(*before)))
        assert self.run(self.store.namespace("copy").check()) == []
        self.run(self.store.delete_namespace("copy"))

    @invariant()
    def everything_is_there_and_nothing_else(self):
        if not self.run(self.store.list_namespaces("", "", 1)):
            return
        page = self.run(self.store.namespace("n").list_messages(MessageQuery(), None, 1_000))
        assert {m.id: (m.session, m.seq, m.text) for m in page.items} == {
            m.id: (m.session, m.seq, m.text) for m in self.model.messages.values()
        }
        statements = self.run(self.store.namespace("n").list_statements(StatementQuery(), None, 1_000))
        assert {s.id: s.text for s in statements.items} == {id_: text for id_, (text, _) in self.model.statements.items()}
        present = self.model.messages.keys() | self.model.statements.keys()
        described = self.run(self.store.namespace("n").describe())
        assert (described.vectors, described.vectors_pending) == (len(present & self.model.embedded), len(present - self.model.embedded))

    @rule(word=WORDS)
    def search(self, word):
        query = CandidateQuery(terms_of(word), None, MemoryFilter(), neighbours=0)
        found = self.run(self.store.namespace("n").candidates(query))
        good = {id_ for id_, eligible in zip(found.ids, found.eligible, strict=True) if eligible}
        said = {m.id for m in self.model.messages.values() if m.text == word}
        stated = {id_ for id_, (text, _) in self.model.statements.items() if text.split()[1] == word}
        assert good >= said | stated
        assert good <= self.model.messages.keys() | self.model.statements.keys()

    @rule(word=WORDS)
    def search_by_vector(self, word):
        query = CandidateQuery((), unit(word).astype(np.float32), MemoryFilter(), neighbours=0)
        found = self.run(self.store.namespace("n").candidates(query))
        said = {m.id for m in self.model.messages.values() if m.text == word}
        assert set(found.ids) >= said & self.model.embedded
        assert set(found.ids) <= self.model.embedded & (self.model.messages.keys() | self.model.statements.keys())

    @rule()
    def check(self):
        assert self.run(self.store.namespace("n").check()) == []
        assert self.run(self.store.check()) == []


def unit(text):
    """A unit vector that depends on the text alone."""
    values = np.random.default_rng(list(text.encode())).normal(size=SPEC.dimension)
    return (values / np.linalg.norm(values)).astype(np.float16)


@pytest.mark.timeout(900)
def test_whatever_the_order_the_store_keeps_its_word(request, make_store):
    # A step on a server takes ten times as long as one on files.
    examples = 3 if request.node.get_closest_marker("neo4j") else 12
    run_state_machine_as_test(
        lambda: StoreMachine(make_store),
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        ),
    )
