"""Synthetic conversations as a finished namespace: sessions, messages, events, facts, relations, entities and their edges, with vectors."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray
from structmem.v1 import exchange_pb2, namespace_service_pb2, node_pb2, time_pb2

from bench.scale.degrees import Degrees
from bench.scale.spool import Spool
from bench.scale.vectors import DIMENSION, Vectors
from bench.scale.words import Zipf, vocabulary
from graph.model import UuidSource

MODEL = "bench-synthetic"
QUERY_WORDS = 7
# Cosines of about 0.85 between a message and what was extracted from it, of about 0.6 between a message and a question about it.
FACT_DISTANCE, QUERY_DISTANCE = 0.6, 1.2
_START = 1_420_070_400  # 2015-01-01
_TEN_YEARS = 10 * 365 * 86_400
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Probe:
    """A query that fits a message of a namespace."""

    namespace: str
    query: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """A namespace to make: its name, how many messages, how many probes, the seed of its randomness."""

    name: str
    messages: int
    probes: int
    seed: int
    generation: namespace_service_pb2.Generation


class Conversations:
    """Makes one namespace."""

    def __init__(self, plan: Plan, degrees: Degrees) -> None:
        self._plan = plan
        self._degrees = degrees
        self._random = np.random.default_rng(plan.seed)
        self._words = Zipf(vocabulary(), self._random)
        self._vectors = Vectors(self._random)
        self._ids = UuidSource()
        self._recorded = _timestamp(_START + _TEN_YEARS)
        self._entity_ids = [self._ids.mint("ent") for _ in range(max(4, int(plan.messages * degrees.entities_per_message)))]
        self._names = [self._words.draw(1)[0].capitalize() + str(i) for i in range(len(self._entity_ids))]
        self._mentions = np.zeros(len(self._entity_ids), dtype=np.int64)
        self._speakers = min(2 + plan.messages // 20_000, 50, len(self._entity_ids))
        self._earlier_event = ""

    def spool(self, directory: Path) -> tuple[int, list[Probe]]:
        """Writes everything; returns how many records that are, and probes drawn evenly from the messages."""
        plan = self._plan
        embedding = namespace_service_pb2.EmbeddingSpec(model=MODEL, dimension=DIMENSION)
        namespace = namespace_service_pb2.Namespace(
            name=plan.name,
            embedding=embedding,
            extraction_mode=plan.generation.mode,
            generation=plan.generation,
            created_at=self._recorded,
            revision=1,
        )
        header = exchange_pb2.ExportHeader(format_version=1, namespace=namespace, revision=1, exported_at=self._recorded)
        probes: list[Probe] = []
        with Spool(directory, header) as spool:
            for number, size in enumerate(_sizes(plan.messages, self._degrees.messages_per_session)):
                probes.extend(self._session(spool, number, size))
            self._entities(spool)
        return spool.records, probes

    def _session(self, spool: Spool, number: int, size: int) -> Iterator[Probe]:
        plan = self._plan
        name = f"session-{number + 1}"
        start = _START + int(_TEN_YEARS * number * self._degrees.messages_per_session / max(plan.messages, 1))
        times = start + np.cumsum(self._random.integers(20, 400, size))
        vectors = self._vectors.session(self._vectors.topic(), size)
        texts = [self._text(int(length)) for length in self._words.lengths(size)]
        ids = [self._ids.mint("msg") for _ in range(size)]
        speakers = self._random.integers(0, self._speakers, 2)
        spool.node(node_pb2.Node(session=self._session_node(name, size, times)))
        for place, (id_, (text, entities), at) in enumerate(zip(ids, texts, times, strict=True)):
            message = node_pb2.Message(
                id=id_,
                session=name,
                seq=place + 1,
                client_id=f"{number}-{place}",
                speaker=self._names[speakers[place % 2]],
                role=node_pb2.ROLE_USER,
                text=text,
                sent_at=_timestamp(int(at)),
                recorded_at=self._recorded,
            )
            spool.node(node_pb2.Node(message=message))
            spool.vector(id_, _float16(vectors[place]))
            for entity in entities:
                spool.edge(node_pb2.Edge(kind=node_pb2.EDGE_KIND_MENTIONS, source_id=id_, target_id=self._entity_ids[entity]))
        self._events(spool, name, ids, texts, speakers, times, vectors)
        spool.progress(exchange_pb2.SessionProgress(session=name, extracted_seq=size, flush_marks=[size]))
        for chosen in np.flatnonzero(self._random.random(size) < 1.5 * plan.probes / plan.messages):
            words = texts[chosen][0].split()
            query = " ".join(self._random.choice(words, min(QUERY_WORDS, len(words)), replace=False).tolist())
            yield Probe(plan.name, query, self._vectors.near(vectors[chosen : chosen + 1], QUERY_DISTANCE)[0])

    def _text(self, length: int) -> tuple[str, list[int]]:
        """A text, and the entities that it names."""
        words = self._words.draw(length)
        entities = self._mentioned(self._random.poisson(self._degrees.mentions_per_message))
        for entity in entities:
            words[self._random.integers(len(words))] = self._names[entity]
        return " ".join(words), entities

    def _mentioned(self, count: int) -> list[int]:
        """Entities; a few are named all the time, most once or twice."""
        drawn = (len(self._entity_ids) * self._random.random(count) ** 4).astype(np.int64)
        chosen = list(dict.fromkeys(drawn.tolist()))
        self._mentions[chosen] += 1
        return chosen

    def _session_node(self, name: str, size: int, times: NDArray[np.int64]) -> node_pb2.Session:
        return node_pb2.Session(
            id=self._ids.mint("ses"),
            name=name,
            message_count=size,
            first_sent_at=_timestamp(int(times[0])),
            last_sent_at=_timestamp(int(times[-1])),
            extracted_seq=size,
            recorded_at=self._recorded,
        )

    def _events(
        self,
        spool: Spool,
        session: str,
        ids: list[str],
        texts: list[tuple[str, list[int]]],
        speakers: NDArray[np.int64],
        times: NDArray[np.int64],
        vectors: NDArray[np.float32],
    ) -> None:
        degrees = self._degrees
        places = np.sort(self._random.integers(0, len(ids), self._random.poisson(len(ids) * degrees.statements_per_message)))
        near = self._vectors.near(vectors[places], FACT_DISTANCE) if len(places) else vectors[:0]
        start = 0
        while start < len(places):
            size = 1 + int(self._random.poisson(max(degrees.statements_per_event - 1, 0)))
            part = places[start : start + size]
            event_id = self._ids.mint("evt")
            speaker = int(speakers[part[0] % 2])
            span = self._span(int(times[part[0]]))
            statements: list[str] = []
            named: dict[int, None] = {}
            for offset, place in enumerate(part):
                words, entities = texts[place]
                statement = self._statement(session, event_id, words, speaker, entities, ids[place], int(times[place]), span)
                statements.append(statement.id)
                named.update(dict.fromkeys(entities))
                spool.node(node_pb2.Node(statement=statement))
                spool.vector(statement.id, _float16(near[start + offset]))
                self._relates(spool, statement, entities)
            self._event(spool, session, event_id, speaker, list(named), statements, ids, part, times, span)
            start += size

    def _statement(
        self,
        session: str,
        event_id: str,
        text: str,
        speaker: int,
        entities: list[int],
        evidence: str,
        at: int,
        span: time_pb2.TimeSpan | None,
    ) -> node_pb2.Statement:
        relation = len(entities) > 1 and self._random.random() < self._degrees.relations
        named = [speaker, *(entity for entity in entities if entity != speaker)]
        self._mentions[named] += 1
        return node_pb2.Statement(
            id=self._ids.mint("rel" if relation else "fct"),
            kind=node_pb2.NODE_KIND_RELATION if relation else node_pb2.NODE_KIND_FACT,
            session=session,
            text=f"{self._names[speaker]} {text}",
            speaker=self._names[speaker],
            subject=self._names[speaker],
            predicate="says",
            event_id=event_id,
            entity_ids=[self._entity_ids[entity] for entity in named],
            evidence_ids=[evidence],
            time=span,
            said_at=_timestamp(at),
            recorded_at=self._recorded,
            generation=self._plan.generation.number,
            confidence=0.8,
        )

    def _relates(self, spool: Spool, statement: node_pb2.Statement, entities: list[int]) -> None:
        if statement.kind == node_pb2.NODE_KIND_RELATION and self._random.random() < self._degrees.relates_per_relation:
            spool.edge(
                node_pb2.Edge(
                    kind=node_pb2.EDGE_KIND_RELATES,
                    source_id=self._entity_ids[entities[0]],
                    target_id=self._entity_ids[entities[1]],
                    via_id=statement.id,
                    properties={"predicate": "knows"},
                )
            )

    def _event(
        self,
        spool: Spool,
        session: str,
        event_id: str,
        speaker: int,
        entities: list[int],
        statements: list[str],
        ids: list[str],
        part: NDArray[np.int64],
        times: NDArray[np.int64],
        span: time_pb2.TimeSpan | None,
    ) -> None:
        participants = [node_pb2.Participant(entity_id=self._entity_ids[speaker], name=self._names[speaker], role="speaker")]
        participants += [
            node_pb2.Participant(entity_id=self._entity_ids[entity], name=self._names[entity], role="object")
            for entity in entities
            if entity != speaker
        ]
        event = node_pb2.Event(
            id=event_id,
            session=session,
            title=" ".join(self._words.draw(6)),
            time=span,
            said_at=_timestamp(int(times[part[0]])),
            statement_ids=statements,
            participants=participants,
            evidence_ids=list(dict.fromkeys(ids[place] for place in part)),
            recorded_at=self._recorded,
            generation=self._plan.generation.number,
        )
        spool.node(node_pb2.Node(event=event))
        if self._earlier_event and self._random.random() < self._degrees.edges_per_event:
            spool.edge(node_pb2.Edge(kind=node_pb2.EDGE_KIND_BEFORE, source_id=self._earlier_event, target_id=event_id))
        self._earlier_event = event_id

    def _span(self, said: int) -> time_pb2.TimeSpan | None:
        if self._random.random() >= self._degrees.timed:
            return None
        start = (said // _DAY - int(self._random.integers(0, 30))) * _DAY
        return time_pb2.TimeSpan(start=_timestamp(start), end=_timestamp(start + _DAY), granularity=time_pb2.GRANULARITY_DAY)

    def _entities(self, spool: Spool) -> None:
        for id_, name, count in zip(self._entity_ids, self._names, self._mentions, strict=True):
            entity = node_pb2.Entity(
                id=id_, name=name, kind=node_pb2.ENTITY_KIND_PERSON, mention_count=int(count), recorded_at=self._recorded
            )
            spool.node(node_pb2.Node(entity=entity))


def _sizes(messages: int, mean: float) -> Iterator[int]:
    """How many messages each session holds."""
    size = max(1, round(mean))
    return (min(size, messages - start) for start in range(0, messages, size))


def _float16(vector: NDArray[np.float32]) -> bytes:
    return vector.astype("<f2").tobytes()


def _timestamp(seconds: int) -> Timestamp:
    return Timestamp(seconds=seconds)
