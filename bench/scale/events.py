"""What an extractor would have found in a synthetic session: events with their facts, relations and edges."""

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.random import Generator
from structmem.v1 import node_pb2, time_pb2

from bench.scale.cast import Cast
from bench.scale.degrees import Degrees
from bench.scale.session import SessionText
from bench.scale.spool import Spool
from bench.scale.vectors import Vectors
from bench.scale.words import Zipf
from graph.model import IdSource

# A cosine of about 0.86 between a message and what was extracted from it.
FACT_DISTANCE = 0.6
_DAY = 86_400


class Events:
    """Makes the events of one namespace, session by session."""

    def __init__(
        self, cast: Cast, degrees: Degrees, words: Zipf, vectors: Vectors, ids: IdSource, random: Generator, generation: int
    ) -> None:
        self._cast = cast
        self._degrees = degrees
        self._words = words
        self._vectors = vectors
        self._ids = ids
        self._random = random
        self._generation = generation
        self._earlier = ""

    def spool(self, spool: Spool, session: SessionText, recorded: Timestamp) -> None:
        """Writes the events of a session: statements on turns drawn evenly, runs of them bound into an event."""
        count = self._random.poisson(len(session) * self._degrees.statements_per_message)
        places = np.sort(self._random.integers(0, len(session), count)).tolist()
        start = 0
        while start < len(places):
            size = 1 + int(self._random.poisson(max(self._degrees.statements_per_event - 1, 0)))
            self._spool_event(spool, session, places[start : start + size], recorded)
            start += size

    def _spool_event(self, spool: Spool, session: SessionText, places: list[int], recorded: Timestamp) -> None:
        first = places[0]
        speaker = session.speaker(first)
        event = node_pb2.Event(
            id=self._ids.mint("evt"),
            session=session.name,
            title=" ".join(self._words.draw(6)),
            time=self._span(int(session.times[first])),
            said_at=session.sent_at(first),
            evidence_ids=dict.fromkeys(session.message_ids[place] for place in places),
            recorded_at=recorded,
            generation=self._generation,
        )
        named = dict.fromkeys([speaker])
        vectors = self._vectors.near(session.vectors[places], FACT_DISTANCE)
        for place, vector in zip(places, vectors, strict=True):
            statement = self._statement(event, session, place, recorded)
            event.statement_ids.append(statement.id)
            named.update(dict.fromkeys(session.names[place]))
            spool.node(node_pb2.Node(statement=statement))
            spool.vector(statement.id, vector)
            self._relates(spool, statement, session.speaker(place), session.names[place])
        for entity in named:
            role = "speaker" if entity == speaker else "object"
            event.participants.add(entity_id=self._cast.ids[entity], name=self._cast.names[entity], role=role)
        spool.node(node_pb2.Node(event=event))
        if self._earlier and self._random.random() < self._degrees.causes_per_event:
            spool.edge(node_pb2.Edge(kind=node_pb2.EDGE_KIND_CAUSES, source_id=self._earlier, target_id=event.id))
        self._earlier = event.id

    def _statement(self, event: node_pb2.Event, session: SessionText, place: int, recorded: Timestamp) -> node_pb2.Statement:
        entities = session.names[place]
        speaker = session.speaker(place)
        relation = bool(entities) and self._random.random() < self._degrees.relations
        named = list(dict.fromkeys([speaker, *entities]))
        self._cast.name(named)
        return node_pb2.Statement(
            id=self._ids.mint("rel" if relation else "fct"),
            kind=node_pb2.NODE_KIND_RELATION if relation else node_pb2.NODE_KIND_FACT,
            session=session.name,
            text=f"{self._cast.names[speaker]} {session.texts[place]}",
            speaker=self._cast.names[speaker],
            subject=self._cast.names[speaker],
            predicate="says",
            event_id=event.id,
            entity_ids=[self._cast.ids[entity] for entity in named],
            evidence_ids=[session.message_ids[place]],
            time=event.time if event.HasField("time") else None,
            said_at=session.sent_at(place),
            recorded_at=recorded,
            generation=self._generation,
            confidence=0.8,
        )

    def _relates(self, spool: Spool, statement: node_pb2.Statement, speaker: int, entities: list[int]) -> None:
        if statement.kind != node_pb2.NODE_KIND_RELATION or self._random.random() >= self._degrees.relates_per_relation:
            return
        edge = node_pb2.Edge(
            kind=node_pb2.EDGE_KIND_RELATES,
            source_id=self._cast.ids[speaker],
            target_id=self._cast.ids[entities[0]],
            via_id=statement.id,
            properties={"predicate": "says"},
        )
        spool.edge(edge)

    def _span(self, said: int) -> time_pb2.TimeSpan | None:
        if self._random.random() >= self._degrees.timed:
            return None
        start = (said // _DAY - int(self._random.integers(0, 30))) * _DAY
        end = Timestamp(seconds=start + _DAY)
        return time_pb2.TimeSpan(start=Timestamp(seconds=start), end=end, granularity=time_pb2.GRANULARITY_DAY)
