"""The same operations on the embedded store and on Neo4j: the same answers, whichever way Neo4j is searched.

Ids come from a source that gives both stores the same ones. Everything is compared exactly, but for what is computed in floating point:
cosines and scores may differ by `TOLERANCE`, since the two sum in another order.
"""

import asyncio
import math
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from graph.errors import StructMemError
from graph.model import (
    CHANGE_KINDS,
    EVENT_LINKS,
    Edge,
    EdgeKind,
    EmbeddingSpec,
    Entity,
    EntityKind,
    Event,
    ExtractionMode,
    ExtractorSpec,
    Granularity,
    JobKind,
    LabelCondition,
    LabelFilter,
    LinkVerdict,
    MemoryFilter,
    NodeKind,
    Participant,
    Role,
    Seed,
    Statement,
    Summary,
    SummaryLevel,
    SummarySentence,
    TimeRange,
    TimeSpan,
    id_of,
)
from graph.retrieval import RetrievalRequest, retrieve
from graph.store.candidates import CandidateQuery
from graph.store.embedded import EmbeddedStore
from graph.store.neo4j import Neo4jStore
from graph.store.port import (
    AppendCommand,
    ConsolidationWrite,
    Deletion,
    EntityQuery,
    EventQuery,
    ExtractedSpan,
    ExtractionWrite,
    GenerationStart,
    JobQuery,
    JobSucceeded,
    LinkDecision,
    MessageDraft,
    MessageQuery,
    NamespaceSpec,
    PassageVector,
    Reversal,
    StatementQuery,
    SummaryQuery,
)
from graph.text import terms_of

TOLERANCE = 1e-5
DIMENSION = 8
SPEC = EmbeddingSpec("test", "f", DIMENSION)
START = datetime(2024, 3, 4, 9, tzinfo=UTC)
NAMES = ("Ana", "Ben", "Nala")
SESSIONS = st.sampled_from(["s1", "s2"])
TEXTS = st.sampled_from(
    [
        "The ferry to Madeira left yesterday",
        "Always answer in metric units, please",
        "I painted a boat in June 2023",
        "Where is the ferry?",
        "My sister Nala keeps a garden near the boat",
        "",
        'ferry AND NOT (boat) OR terms:* \\ ~ ^2 "x',
        " ".join(f"Sentence {i} is about the garden and the music of that summer." for i in range(40)),
    ]
)
DRAFTS = st.lists(
    st.tuples(TEXTS, st.sampled_from(NAMES[:2]), st.sampled_from([Role.USER, Role.ASSISTANT]), st.sampled_from(["", "work", "home"])),
    min_size=1,
    max_size=4,
)
RANGE = TimeRange(START + timedelta(minutes=2), START + timedelta(minutes=9))
FILTERS = st.builds(
    MemoryFilter,
    kinds=st.sampled_from([frozenset({NodeKind.MESSAGE, NodeKind.FACT, NodeKind.RELATION}), frozenset({NodeKind.FACT})]),
    sessions=st.sampled_from([(), (), ("s2",), ("s1", "nobody")]),
    speakers=st.sampled_from([(), (), ("Ben",)]),
    said=st.sampled_from([None, None, RANGE]),
    happened=st.sampled_from([None, None, RANGE, TimeRange(START.replace(year=2023), START)]),
    labels=st.sampled_from(
        [LabelFilter(), LabelFilter(all_of=(LabelCondition("topic", ("work",)),)), LabelFilter(none_of=(LabelCondition("topic"),))]
    ),
)


class Clock:
    def __init__(self):
        self.time = datetime(2025, 1, 1, tzinfo=UTC)

    def now(self):
        return self.time


class CountedIds:
    """Mints ids that depend on the prefix and on how many of it came before, so that two stores get the same ones."""

    def __init__(self):
        self.counts = Counter()

    def mint(self, prefix):
        self.counts[prefix] += 1
        number = int.from_bytes(prefix.encode()[:3], "big") << 32 | self.counts[prefix]
        return id_of(prefix, UUID(int=0x018F << 112 | 0x7 << 76 | 0b10 << 62 | number))


class TextVectors:
    """An embedder without a model."""

    spec = SPEC

    async def embed_query(self, text):
        return unit(text).astype(np.float32)


def unit(text):
    values = np.random.default_rng(list(text.encode())).normal(size=DIMENSION)
    return (values / np.linalg.norm(values)).astype(np.float16)


class Congruence(RuleBasedStateMachine):
    """Every step runs on both stores. Neo4j is read by two: one searches in this process, the other by Neo4j's indexes."""

    def __init__(self, neo4j):
        super().__init__()
        neo4j.empty()
        self.loop = asyncio.new_event_loop()
        self.place = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.ids = CountedIds()  # of what an extractor mints, the same for both
        self.embedded = EmbeddedStore(Path(self.place.name), clock=self.clock, ids=CountedIds())
        self.here = Neo4jStore(neo4j.address, clock=self.clock, ids=CountedIds())
        self.there = Neo4jStore(neo4j.address, clock=self.clock, ids=CountedIds(), search_in_process_passages=0)
        self.stores = (self.embedded, self.here)
        self.minutes = 0
        self.version = 0
        for store in (*self.stores, self.there):
            self.run(store.open())

    def run(self, work):
        return self.loop.run_until_complete(work)

    def teardown(self):
        try:
            self.compare_everything()
        finally:
            for store in (*self.stores, self.there):
                self.run(store.close())
            self.loop.close()
            self.place.cleanup()

    def both(self, call):
        """What `call(store)` gives on both stores, or the kind of error; the same on both."""
        found = [self.run(outcome_of(call(store))) for store in self.stores]
        assert repr(found[0]) == repr(found[1])
        return found[0]

    @initialize()
    def create(self):
        for store in self.stores:
            self.run(store.create_namespace(NamespaceSpec("n", SPEC, ExtractionMode.EVENT, "Europe/Lisbon")))

    @rule(
        session=SESSIONS,
        drafts=DRAFTS,
        client=st.sampled_from(["", "c1"]),
        request=st.sampled_from(["", "", "r1"]),
        edited=st.sampled_from([None, None, 5, 500]),
    )
    def append(self, session, drafts, client, request, edited):
        messages = []
        for number, (text, speaker, role, topic) in enumerate(drafts):
            self.minutes += 1
            labels = {"topic": topic} if topic else {}
            at = START + timedelta(minutes=self.minutes)
            draft = MessageDraft(speaker, role, text, at, client if not number else "", labels)
            if client and not number and edited:
                # A version of the first message of this id, whoever said that; before the others, or after them.
                said = MessageDraft("Ana", Role.USER, text, START, client, labels)
                draft = replace(said, edited_at=START + timedelta(minutes=edited + self.minutes % 3))
            messages.append(draft)
        command = AppendCommand(session, tuple(messages), timedelta(seconds=10), request_id=request)
        outcome = self.both(lambda store: without_uid(store.namespace("n").append(command)))
        assert outcome

    @rule(session=SESSIONS, count=st.integers(1, 4))
    def embed(self, session, count):
        waiting = self.both(lambda store: store.namespace("n").missing_vectors(session, 1_000))
        vectors = [PassageVector(p.owner_id, p.ordinal, unit(p.text)) for p in waiting[:count]]
        self.both(lambda store: store.namespace("n").put_vectors(SPEC.fingerprint, vectors))

    @rule(session=SESSIONS, again=st.booleans(), steps=st.integers(1, 5))
    def extract(self, session, again, steps):
        """Facts, a relation, events and entities of the session's next messages; of another generation, if `again`."""
        self.version += again
        start = GenerationStart(ExtractorSpec("x", str(self.version), ExtractionMode.EVENT))
        self.both(lambda store: store.namespace("n").begin_generation(start))
        self.both(lambda store: store.namespace("n").flush(session))
        self.clock.time += timedelta(minutes=5)
        leases = [self.run(lease_of(store, session)) for store in self.stores]
        assert (leases[0] is None) == (leases[1] is None)
        if leases[0] is None:
            return
        work = [
            self.run(store.namespace(lease.job.namespace).pending(lease, steps)) for store, lease in zip(self.stores, leases, strict=True)
        ]
        assert repr(work[0]) == repr(work[1])
        if work[0].messages:
            write = self.extraction(work[0], session)
            done = [
                self.run(outcome_of(store.namespace(lease.job.namespace).commit_extraction(lease, write)))
                for store, lease in zip(self.stores, leases, strict=True)
            ]
            assert done[0] == done[1]
        ended = [
            self.run(outcome_of(store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())))
            for store, lease in zip(self.stores, leases, strict=True)
        ]
        assert repr(ended[0]) == repr(ended[1])

    def extraction(self, work, session):
        people = [Entity(self.ids.mint("ent"), name, EntityKind.PERSON, self.clock.time) for name in NAMES]
        statements, events, edges = [], [], []
        for number, message in enumerate(work.messages):
            # Some rest on two messages: when one is deleted, the other one is extracted anew.
            evidence = tuple(one.id for one in work.messages[max(0, number - number % 2) : number + 1])
            named = tuple(person for person in people if person.name in (message.speaker, *message.text.split()))
            june = TimeSpan(START.replace(year=2023, month=6), START.replace(year=2023, month=7), Granularity.MONTH, "in June 2023")
            kind = NodeKind.RELATION if len(named) > 1 else NodeKind.FACT
            time = june if "June" in message.text else None
            at, entities = message.sent_at, tuple(person.id for person in named)
            text = f"{message.speaker} said: {message.text[:60]}"
            id_ = self.ids.mint("rel" if kind is NodeKind.RELATION else "fct")
            statements.append(
                Statement(id_, kind, session, text, message.speaker, at, at, evidence, entity_ids=entities, time=time, predicate="said")
            )
            event = self.ids.mint("evt")
            parts = tuple(Participant(person.id, "subject", person.name) for person in named)
            events.append(Event(event, session, message.text[:20], at, at, evidence, time, (id_,), parts))
            edges += [Edge(EdgeKind.MENTIONS, message.id, person.id) for person in named]
            if kind is NodeKind.RELATION:
                edges.append(Edge(EdgeKind.RELATES, named[0].id, named[1].id, id_, {"predicate": "knows"}))
        kinds, linked = sorted(EVENT_LINKS), {"source": "stated", "confidence": "0.6"}
        edges += [
            Edge(kinds[at % len(kinds)], a.id, b.id, b.evidence_ids[-1] if at % 3 else "", linked)
            for at, (a, b) in enumerate(pairwise(events))
        ]
        changed = {"reason": "moved", "confidence": "0.9", "known_at": work.messages[-1].sent_at.isoformat()}
        edges += [Edge(EdgeKind.SUPERSEDES, b.id, a.id, properties=changed) for a, b in pairwise(statements)]
        edges += [Edge(EdgeKind.REPEATS, s.id, work.messages[0].id, properties=changed) for s in statements[2:3]]
        edges.append(Edge(EdgeKind.SAME_AS, people[0].id, people[1].id, "", {"confidence": "0.5"}))
        vectors = tuple(PassageVector(s.id, 0, unit(s.text)) for s in statements[::2])
        upto = work.watermark if work.again else work.messages[-1].seq
        again = tuple(message.id for message in work.messages) if work.again else ()
        parts = (tuple(statements), tuple(events), tuple(people), tuple(edges), vectors)
        span = ExtractedSpan(
            work.messages[0].seq, work.messages[-1].seq, (*work.context[-1:], *work.messages)[0].seq, "c" * (upto % 3 == 0)
        )
        return ExtractionWrite(work.generation, work.watermark, upto, *parts, again_ids=again, span=span, consolidate=upto % 2 == 0)

    @rule(what=st.sampled_from(["windows", "windows", "threads", "profile", "anew", "retire"]), data=st.data())
    def consolidate(self, what, data):
        """Writes windows of what waits, threads of windows that are in none, the profile, one anew with a member less, or retires one."""
        self.both(lambda store: store.namespace("n").queue_consolidation())
        leases = [self.run(store.lease_job("w", timedelta(minutes=1), [JobKind.CONSOLIDATION])) for store in self.stores]
        assert repr(leases[0]) == repr(leases[1])
        if leases[0] is None:
            return
        work = self.both_with(leases, lambda memory, lease: memory.consolidation_work(lease, 3))
        there = self.run(self.embedded.namespace("n").list_summaries(SummaryQuery(), None, 100)).items
        chosen = data.draw(st.sampled_from(there)) if there else None
        write = ConsolidationWrite(work.revision, work.generation, tuple(self.summaries(what, work, there, chosen)))
        if what == "retire" and chosen is not None:
            write = replace(write, retire_ids=(chosen.id,))
        write = replace(write, vectors=tuple(PassageVector(one.id, 0, unit(one.text)) for one in write.summaries))
        self.both_with(leases, lambda memory, lease: memory.commit_consolidation(lease, write))
        self.both_with(leases, lambda memory, lease: memory.finish_job(lease, JobSucceeded()))

    def both_with(self, leases, call):
        """What `call(memory, lease)` gives on both stores; the same on both."""
        found = [self.run(outcome_of(call(store.namespace("n"), lease))) for store, lease in zip(self.stores, leases, strict=True)]
        assert repr(found[0]) == repr(found[1])
        return found[0]

    def summaries(self, what, work, there, chosen):
        told = {member for one in there for member in one.member_ids}
        threads = [one for one in there if one.level is SummaryLevel.THREAD]
        if what == "windows":
            earlier = self.run(self.embedded.namespace("n").list_events(EventQuery(), None, 1)).items
            for session in sorted({event.session for event in work.events}):
                events = [event for event in work.events if event.session == session]
                yield self.summary(SummaryLevel.WINDOW, events, work, (session,), tuple(Seed(one.id, 0.51234) for one in earlier))
        elif what == "threads":
            loose = [one for one in there if one.level is SummaryLevel.WINDOW and one.id not in told]
            if loose:
                yield self.summary(SummaryLevel.THREAD, loose, work, tuple(sorted({one.sessions[0] for one in loose})))
        elif what == "profile" and threads:
            found = [one.id for one in there if one.level is SummaryLevel.PROFILE]
            yield replace(self.summary(SummaryLevel.PROFILE, threads, work, ()), **({"id": found[0]} if found else {}))
        elif what == "anew" and chosen is not None:
            members = chosen.member_ids[-max(len(chosen.member_ids) - 1, 1) :]
            yield replace(chosen, title="Anew", member_ids=members, sentences=(SummarySentence("One.", members),), names=("Ana",))

    def summary(self, level, members, work, sessions, seeds=()):
        said = [getattr(member, "said_at", None) or member.said_from for member in members]
        sentences = tuple(SummarySentence(f"About {member.title or 'nothing'}.", (member.id,)) for member in members)
        ids, time = tuple(member.id for member in members), TimeSpan(min(said), max(said), Granularity.DAY, "then")
        first, last, now = min(said), max(said), self.clock.time
        return Summary(
            self.ids.mint("sum"), level, "Title", sentences, ids, time, first, last, now, now, "c/1", work.generation, sessions, (), seeds
        )

    @rule(data=st.data())
    def delete(self, data):
        listed = self.run(self.embedded.namespace("n").list_messages(MessageQuery(), None, 100)).items
        facts = self.run(self.embedded.namespace("n").list_statements(StatementQuery(), None, 100)).items
        if listed:
            chosen = data.draw(st.sampled_from([*listed, *facts]))
            self.delete_and_compare(Deletion((chosen.id,), deleted_by="ana"))

    @rule(
        session=st.sampled_from([(), ("s1",), ("s2",), ("s1", "s2")]),
        speaker=st.sampled_from([(), ("Ana",), ("Ben",)]),
        said=st.sampled_from([None, RANGE]),
        dry_run=st.booleans(),
    )
    def delete_messages(self, session, speaker, said, dry_run):
        self.delete_and_compare(Deletion(messages=MessageQuery(session, speaker, said), dry_run=dry_run))

    def delete_and_compare(self, deletion):
        self.both(lambda store: store.namespace("n").delete(deletion))
        receipts = self.both(lambda store: store.namespace("n").deletions(None, 3))
        for receipt in receipts.items[:1]:
            self.both(lambda store, receipt=receipt: store.namespace("n").deleted_items(receipt.id, None, 1_000))

    @rule(session=SESSIONS)
    def delete_session(self, session):
        self.both(lambda store: store.namespace("n").delete(Deletion(session=session)))

    @precondition(lambda self: self.version)
    @rule(verdict=st.sampled_from(LinkVerdict))
    def decide(self, verdict):
        entities = self.run(self.embedded.namespace("n").list_entities(EntityQuery(), None, 9)).items
        if len(entities) > 1:
            decision = LinkDecision(entities[0].id, entities[1].id, verdict, "somebody")
            self.both(lambda store: store.namespace("n").decide_link(decision))

    @precondition(lambda self: self.version)
    @rule(restore=st.sampled_from([False, False, True]), data=st.data())
    def revert(self, restore, data):
        edges = [record for record in self.run(exported(self.embedded)) if isinstance(record, Edge) and record.kind in CHANGE_KINDS]
        if edges:
            chosen = data.draw(st.sampled_from(edges))
            reversal = Reversal(chosen.source_id, chosen.target_id, "somebody", restore)
            self.both(lambda store: store.namespace("n").revert(reversal))

    @rule(
        words=st.lists(st.sampled_from(["ferry", "boat", "garden", "music", "nala", "unknown"]), max_size=4, unique=True),
        text=st.one_of(st.none(), TEXTS),
        chosen=FILTERS,
        spans=st.booleans(),
        neighbours=st.integers(0, 2),
    )
    def search(self, words, text, chosen, spans, neighbours):
        known = self.run(self.embedded.namespace("n").list_messages(MessageQuery(), None, 3)).items
        query = CandidateQuery(
            terms=terms_of(" ".join(words)),
            vector=None if text is None else unit(text).astype(np.float32),
            filter=chosen,
            spans=(TimeSpan(START, START + timedelta(minutes=8), Granularity.DAY),) if spans else (),
            temporal_limit=20,
            instruction_limit=3,
            neighbours=neighbours,
            include=tuple(message.id for message in known[2:]),
        )
        self.compare_candidates(query)

    def compare_candidates(self, query):
        expected = described(self.run(self.embedded.namespace("n").candidates(query)))
        for store in (self.here, self.there):
            found = described(self.run(store.namespace("n").candidates(query)))
            assert found.keys() == expected.keys()
            for name, value in expected.items():
                assert same(found[name], value), name

    @rule(question=st.sampled_from(["Where did the ferry go?", "What does Nala grow in her garden?", "in June 2023?"]))
    def ask(self, question):
        request = RetrievalRequest(
            query=question, namespace="n", k=5, recipe="graph", filter=MemoryFilter(), asked_at=START + timedelta(days=9), zone=UTC
        )
        answers = [self.run(retrieve(store, request, TextVectors())) for store in (*self.stores, self.there)]
        expected = {hit.node.id: hit.score for hit in answers[0].hits}
        for answer in answers[1:]:
            scores = {hit.node.id: hit.score for hit in answer.hits}
            assert scores.keys() == expected.keys()
            assert all(math.isclose(scores[id_], score, abs_tol=TOLERANCE) for id_, score in expected.items())

    @rule(limit=st.integers(1, 5))
    def compare_listings(self, limit):
        listings = [
            (lambda store, cursor, q=query: store.namespace("n").list_messages(q, cursor, limit))
            for query in (
                MessageQuery(),
                MessageQuery(sessions=("s1",)),
                MessageQuery(sessions=("s1", "s2"), speakers=("Ben",), said=RANGE),
                MessageQuery(labels=LabelFilter(any_of=(LabelCondition("topic", ("home",)),))),
            )
        ]
        listings += [
            lambda store, cursor: store.namespace("n").list_sessions(cursor, limit),
            lambda store, cursor: store.namespace("n").list_events(EventQuery(RANGE), cursor, limit),
            lambda store, cursor: store.namespace("n").list_statements(StatementQuery(include_retired=True), cursor, limit),
            lambda store, cursor: store.namespace("n").list_entities(EntityQuery(name="ANA"), cursor, limit),
            lambda store, cursor: store.namespace("n").list_jobs(JobQuery(), cursor, limit),
            lambda store, cursor: store.namespace("n").list_summaries(SummaryQuery(happened=RANGE), cursor, limit),
            lambda store, cursor: store.namespace("n").list_summaries(SummaryQuery(sessions=("s1",)), cursor, limit),
            lambda store, cursor: store.namespace("n").list_summaries(SummaryQuery(stale=True), cursor, limit),
        ]
        for listing in listings:
            found = [self.run(pages_of(lambda cursor, s=store, f=listing: f(s, cursor))) for store in self.stores]
            assert repr(found[0]) == repr(found[1])

    @rule()
    def compare_everything(self):
        records = [self.run(exported(store)) for store in self.stores]
        assert repr(records[0]) == repr(records[1])
        nodes = [record for record in records[0] if hasattr(record, "id")]
        ids = [node.id for node in nodes]
        self.both(lambda store: store.namespace("n").get_nodes(ids))
        for node in nodes[:: max(len(nodes) // 6, 1)]:
            self.both(lambda store, id_=node.id: store.namespace("n").get_node_edges(id_, 50))
            self.both(lambda store, id_=node.id: store.namespace("n").neighbourhood([id_], list(EdgeKind), 2, 1_000, 1_000))
            self.both(lambda store, id_=node.id: store.namespace("n").neighbourhood([id_], list(EdgeKind), 2, 1_000, 1_000, RANGE.start))
        known = [self.run(store.namespace("n").known_before(ids, RANGE.start)) for store in self.stores]
        assert known[0] == known[1]
        self.both(lambda store: bare_description(store))
        self.both(lambda store: bare_scope(store))
        self.both(lambda store: store.namespace("n").usage())
        self.both(lambda store: store.namespace("n").searched_summaries(0))
        # Its version is each store's own.
        replaced = [self.run(store.namespace("n").supersessions(-1)).edges for store in self.stores]
        assert sorted(map(repr, replaced[0])) == sorted(map(repr, replaced[1]))
        self.both(lambda store: store.namespace("n").first_vectors(ids))
        assert [self.run(store.namespace("n").check()) for store in self.stores] == [[], []]
        self.compare_candidates(CandidateQuery(terms_of("ferry boat garden"), unit("ferry").astype(np.float32), MemoryFilter()))


async def outcome_of(work):
    try:
        return await work
    except StructMemError as error:
        return type(error).__name__, error.reason


async def without_uid(work):
    """An append's outcome; the uid is each store's own."""
    return replace(await work, namespace_uid="")


async def bare_description(store):
    """Counts; how many bytes they take is each store's own."""
    return replace(await store.namespace("n").describe(), bytes=0)


async def bare_scope(store):
    scope = await store.namespace("n").query_scope(["ANA", "Nala", "nobody"])
    return replace(scope, namespace=replace(scope.namespace, uid=""))


async def lease_of(store, session):
    """The job of the session, if one is due; others are let be."""
    while (lease := await store.lease_job("w", timedelta(minutes=1), [JobKind.EXTRACTION])) is not None:
        if lease.job.session == session:
            return lease
    return None


async def pages_of(listing):
    cursor, items = None, []
    while True:
        page = await listing(cursor)
        items.append(page.items)
        cursor = page.next
        if cursor is None:
            return items


async def exported(store):
    return [record async for batch in store.namespace("n").export() for record in batch]


def described(found):
    """Candidates without what each store numbers as it likes: by id, and links as ids."""
    ids = list(found.ids)
    place = {id_: row for row, id_ in enumerate(ids)}

    def linked(column):
        return {id_: ids[column[row]] if column[row] >= 0 else None for id_, row in place.items()}

    passages = [
        (ids[row], int(length), counts.tolist(), float(cosine))
        for row, length, counts, cosine in zip(found.passage_row, found.length, found.term_counts, found.similarity, strict=True)
    ]
    return {
        "ids": sorted(ids),
        "columns": {
            id_: tuple(column[row].item() for column in (found.kind, found.role, found.seq, found.said_at, found.features, found.eligible))
            for id_, row in place.items()
        },
        "speakers": {id_: found.speakers[found.speaker[row]] for id_, row in place.items()},
        "together": {id_: sorted(ids[other] for other in np.flatnonzero(found.session == found.session[place[id_]])) for id_ in ids},
        "previous": linked(found.previous),
        "next": linked(found.next),
        "passages": sorted(passages, key=lambda passage: (passage[0], passage[1], str(passage[2]))),
        "spans": sorted((ids[row], int(a), int(b)) for row, a, b in zip(found.span_row, found.span_start, found.span_end, strict=True)),
        "evidence": sorted((ids[a], ids[b]) for a, b in zip(found.statement_row, found.message_row, strict=True)),
        "statistics": {int(g): (s.count, s.mean_length, s.document_frequency.tolist()) for g, s in found.statistics.items()},
        "revision": found.revision,
    }


def same(one, other):
    """Equal, but for floating point."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, abs_tol=TOLERANCE)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.timeout(900)
@pytest.mark.neo4j
def test_both_stores_give_the_same_answers(neo4j):
    run_state_machine_as_test(
        lambda: Congruence(neo4j),
        # Without shrinking, which would take an hour here; to understand a failure, add Phase.shrink.
        settings=settings(
            max_examples=6,
            stateful_step_count=14,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
