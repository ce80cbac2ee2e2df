"""Synthetic conversations as a finished namespace: sessions with their messages and vectors; `events` adds what is extracted."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray
from structmem.v1 import exchange_pb2, namespace_pb2, node_pb2

from bench.scale.cast import Cast
from bench.scale.degrees import Degrees
from bench.scale.events import Events
from bench.scale.session import SessionText
from bench.scale.spool import Spool
from bench.scale.vectors import DIMENSION, Vectors
from bench.scale.words import Zipf, vocabulary
from graph.model import UuidSource

MODEL = "bench-synthetic"
QUERY_WORDS = 7
# A cosine of about 0.65 between a message and a question about it.
QUERY_DISTANCE = 1.2
_START = 1_420_070_400  # 2015-01-01
_TEN_YEARS = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Probe:
    """A query that fits a message of a namespace."""

    namespace: str
    query: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """A namespace to make: its name, how many messages, how many probes, the seed of its randomness, whose extraction it passes for."""

    name: str
    messages: int
    probes: int
    seed: int
    generation: namespace_pb2.Generation


class Conversations:
    """Makes one namespace."""

    def __init__(self, plan: Plan, degrees: Degrees) -> None:
        self._plan = plan
        self._degrees = degrees
        self._random = np.random.default_rng(plan.seed)
        self._words = Zipf(vocabulary(), self._random)
        self._vectors = Vectors(self._random)
        self._ids = UuidSource()
        self._recorded = Timestamp(seconds=_START + _TEN_YEARS)
        self._cast = Cast(plan.messages, degrees, self._words, self._ids, self._random)
        self._events = Events(self._cast, degrees, self._words, self._vectors, self._ids, self._random, plan.generation.number)

    def spool(self, directory: Path) -> tuple[int, list[Probe]]:
        """Writes everything; returns how many records that are, and probes drawn evenly from the messages."""
        probes: list[Probe] = []
        with Spool(directory, self._header()) as spool:
            size = max(1, round(self._degrees.messages_per_session))
            for number, start in enumerate(range(0, self._plan.messages, size)):
                session = self._session(number, min(size, self._plan.messages - start))
                self._spool_session(spool, session)
                self._events.spool(spool, session, self._recorded)
                probes.extend(self._probes(session))
            self._cast.spool(spool, self._recorded)
        return spool.records, probes

    def _header(self) -> exchange_pb2.ExportHeader:
        generation = self._plan.generation
        namespace = namespace_pb2.Namespace(
            name=self._plan.name,
            embedding=namespace_pb2.EmbeddingSpec(model=MODEL, dimension=DIMENSION),
            extraction_mode=generation.mode,
            generation=generation,
            created_at=self._recorded,
            revision=1,
        )
        return exchange_pb2.ExportHeader(format_version=1, namespace=namespace, revision=1, exported_at=self._recorded)

    def _session(self, number: int, size: int) -> SessionText:
        start = _START + int(_TEN_YEARS * number * self._degrees.messages_per_session / self._plan.messages)
        speakers = self._cast.two_speakers()
        session = SessionText(
            name=f"session-{number + 1}",
            speakers=speakers,
            times=start + np.cumsum(self._random.integers(20, 400, size)),
            vectors=self._vectors.session(self._vectors.topic(), size),
        )
        for place, length in enumerate(self._words.lengths(size).tolist()):
            names = self._cast.mentioned(int(self._random.poisson(self._degrees.names_per_message)))
            addressed = [session.speaker(place + 1)] if self._random.random() < self._degrees.addressed else []
            self._cast.name(addressed)
            session.message_ids.append(self._ids.mint("msg"))
            session.texts.append(self._text(length, addressed + names))
            session.names.append(names)
            session.addressed.append(addressed)
        return session

    def _text(self, length: int, entities: list[int]) -> str:
        """A text that names these entities."""
        words = self._words.draw(length)
        for entity in entities:
            words[self._random.integers(len(words))] = self._cast.names[entity]
        return " ".join(words)

    def _spool_session(self, spool: Spool, session: SessionText) -> None:
        node = node_pb2.Session(
            id=self._ids.mint("ses"),
            name=session.name,
            message_count=len(session),
            first_sent_at=session.sent_at(0),
            last_sent_at=session.sent_at(len(session) - 1),
            extracted_seq=len(session),
            recorded_at=self._recorded,
        )
        spool.node(node_pb2.Node(session=node))
        for place, id_ in enumerate(session.message_ids):
            message = node_pb2.Message(
                id=id_,
                session=session.name,
                seq=place + 1,
                client_id=f"turn-{place}",
                speaker=self._cast.names[session.speaker(place)],
                role=node_pb2.ROLE_USER,
                text=session.texts[place],
                sent_at=session.sent_at(place),
                recorded_at=self._recorded,
            )
            spool.node(node_pb2.Node(message=message))
            spool.vector(id_, session.vectors[place])
            for entity in dict.fromkeys(session.addressed[place] + session.names[place]):
                spool.edge(node_pb2.Edge(kind=node_pb2.EDGE_KIND_MENTIONS, source_id=id_, target_id=self._cast.ids[entity]))
        spool.progress(exchange_pb2.SessionProgress(session=session.name, extracted_seq=len(session), flush_marks=[len(session)]))

    def _probes(self, session: SessionText) -> Iterator[Probe]:
        # Half as many again as were asked for, so that chance leaves enough.
        share = 1.5 * self._plan.probes / self._plan.messages
        for place in np.flatnonzero(self._random.random(len(session)) < share):
            words = session.texts[place].split()
            query = " ".join(self._random.choice(words, min(QUERY_WORDS, len(words)), replace=False).tolist())
            yield Probe(self._plan.name, query, self._vectors.near(session.vectors[place : place + 1], QUERY_DISTANCE)[0])
