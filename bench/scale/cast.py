"""The entities of a synthetic namespace: a few are named all the time, most once or twice."""

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.random import Generator
from structmem.v1 import node_pb2

from bench.scale.degrees import Degrees
from bench.scale.spool import Spool
from bench.scale.words import Zipf
from graph.model import IdSource

# An entity is drawn at the place u^4 of the list, u even in [0, 1): of 5,000 the first gets 12 % of the mentions, the later half 16 %.
SKEW = 4
MESSAGES_PER_SPEAKER = 20_000
MOST_SPEAKERS = 50


class Cast:
    """Who and what is named. The first entities of the list are the speakers."""

    def __init__(self, messages: int, degrees: Degrees, words: Zipf, ids: IdSource, random: Generator) -> None:
        count = max(4, int(messages * degrees.entities_per_message))
        self.ids = [ids.mint("ent") for _ in range(count)]
        self.names = [f"{words.draw(1)[0].capitalize()}{index}" for index in range(count)]
        self._speakers = min(2 + messages // MESSAGES_PER_SPEAKER, MOST_SPEAKERS, count)
        self._mentions = np.zeros(count, dtype=np.int64)
        self._random = random

    def two_speakers(self) -> tuple[int, int]:
        """Two different speakers."""
        first, second = self._random.choice(self._speakers, 2, replace=False)
        return int(first), int(second)

    def mentioned(self, count: int) -> list[int]:
        """Up to `count` different entities that something names."""
        drawn = (len(self.ids) * self._random.random(count) ** SKEW).astype(np.int64)
        chosen = list(dict.fromkeys(drawn.tolist()))
        self.name(chosen)
        return chosen

    def name(self, entities: list[int]) -> None:
        """Counts that something names these."""
        self._mentions[entities] += 1

    def spool(self, spool: Spool, recorded: Timestamp) -> None:
        """Writes the entities, once all mentions are counted."""
        for index, (id_, name, count) in enumerate(zip(self.ids, self.names, self._mentions, strict=True)):
            kind = node_pb2.ENTITY_KIND_PERSON if index < self._speakers else node_pb2.ENTITY_KIND_THING
            entity = node_pb2.Entity(id=id_, name=name, kind=kind, mention_count=int(count), recorded_at=recorded)
            spool.node(node_pb2.Node(entity=entity))
