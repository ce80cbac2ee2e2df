"""An oracle for the search index: plain dictionaries, the formulas written out, every candidate by brute force."""

import math
import random
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from graph.model import MEMORY_KINDS, NodeKind, Role
from graph.store.bm25 import Bm25
from graph.store.candidates import StatisticsGroup
from graph.store.search import IndexQuery, MemoryEntry, PassageEntry, SearchIndex, term_hash
from graph.store.search.cache_budget import CacheBudget
from graph.store.search.candidate_rows import STATEMENTS_PER_MESSAGE
from graph.text.features import Feature

DIMENSION = 70  # not a multiple of 64
WORDS = [f"word{i}" for i in range(40)]
WEIGHTS = [1 / (i + 1) for i in range(40)]
HOUR = 3_600_000_000


@dataclass
class Known:
    entry: MemoryEntry
    words: list[list[str]]  # of each passage
    vectors: dict[int, np.ndarray] = field(default_factory=dict)  # by place of the passage


class World:
    """An index and what should be in it. Every step draws from the random source it is given."""

    def __init__(self, dimension: int = DIMENSION) -> None:
        self.dimension = dimension
        self.budget = CacheBudget(200_000)
        self.index = SearchIndex(dimension, self.budget)
        self.known: dict[int, Known] = {}
        self.next_key = 1
        self.next_passage = 1
        self.seqs: Counter[int] = Counter()
        self.reads: list[int] = []

    # Writing

    def add(self, rng: random.Random, count: int) -> None:
        entries = []
        for _ in range(count):
            key = self.next_key
            self.next_key += rng.choice([1, 1, 1, 5])
            entries.append(self._entry(rng, key))
        # A session's messages may come in another order than that of seq.
        if rng.random() < 0.3:
            rng.shuffle(entries)
            for entry in entries:
                self.known[entry.key] = self.known.pop(entry.key)
        self.index.add(entries)

    def add_again(self, rng: random.Random) -> None:
        if self.known:
            self.index.add([self._entry(rng, rng.choice(list(self.known)))])

    def _entry(self, rng: random.Random, key: int) -> MemoryEntry:
        messages = [k for k, known in self.known.items() if known.entry.kind == NodeKind.MESSAGE and k != key]
        kind = rng.choice([NodeKind.MESSAGE, NodeKind.MESSAGE, NodeKind.FACT, NodeKind.RELATION])
        session = rng.randint(1, 4)
        passages, words = [], []
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            text = rng.choices(WORDS, WEIGHTS, k=rng.randint(0, 12))
            counts = Counter(text)
            hashes = np.array([term_hash(word) for word in counts], np.uint64)
            passages.append(PassageEntry(self.next_passage, hashes, np.array(list(counts.values()), np.uint8), len(text)))
            words.append(text)
            self.next_passage += 1
        spans = []
        for _ in range(rng.choice([0, 0, 1, 2])):
            start = rng.randint(0, 400) * HOUR
            spans.append((start, start + rng.choice([0, 1, 24, 720]) * HOUR))
        self.seqs[session] += 1
        message = kind == NodeKind.MESSAGE
        entry = MemoryEntry(
            key=key,
            uuid=key.to_bytes(16, "big"),
            kind=kind,
            role=rng.randint(1, 4) if message else 0,
            session=session,
            seq=self.seqs[session] if message else 0,
            speaker=rng.choice(["Ana", "Ben", "Çelik"]),
            said_at=rng.randint(0, 400) * HOUR,
            features=rng.randint(0, 15),
            spans=tuple(spans),
            passages=tuple(passages),
            evidence=() if message else tuple(rng.sample(messages, min(len(messages), rng.randint(0, 3)))),
        )
        self.known.pop(key, None)
        self.known[key] = Known(entry, words)  # the order of the dictionary is that of arrival
        return entry

    def give_vectors(self, rng: random.Random, count: int) -> None:
        lacking = [(key, place) for key, k in self.known.items() for place in range(len(k.words)) if place not in k.vectors]
        chosen = rng.sample(lacking, min(count, len(lacking)))
        numpy_rng = np.random.default_rng(rng.randint(0, 2**31))
        keys, vectors = [10**9], [unit(numpy_rng, self.dimension)]  # a passage that nobody knows
        for key, place in chosen:
            vector = unit(numpy_rng, self.dimension)
            self.known[key].vectors[place] = vector
            keys.append(self.known[key].entry.passages[place].key)
            vectors.append(vector)
        self.index.set_vectors(np.array(keys), np.array(vectors))

    def remove(self, rng: random.Random, count: int) -> None:
        keys = rng.sample(list(self.known), min(count, len(self.known)))
        for key in keys:
            del self.known[key]
        self.index.remove(np.array([*keys, 10**9]))

    def read_vectors(self, keys: np.ndarray) -> np.ndarray:
        self.reads.append(len(keys))
        stored = {k.entry.passages[place].key: v for k in self.known.values() for place, v in k.vectors.items()}
        return np.array([stored[int(key)] for key in keys], np.float16).reshape(len(keys), self.dimension)

    # Asking

    def query(self, rng: random.Random) -> tuple[IndexQuery, list[str]]:
        words = rng.sample([*WORDS, "unheard"], rng.randint(0, 5))
        numpy_rng = np.random.default_rng(rng.randint(0, 2**31))
        messages = [k for k, known in self.known.items() if known.entry.kind == NodeKind.MESSAGE]

        def sometimes(value):
            return value if rng.random() < 0.25 else None

        start = rng.randint(0, 400) * HOUR
        query = IndexQuery(
            term_hashes=np.array([term_hash(word) for word in words], np.uint64),
            vector=unit(numpy_rng, self.dimension).astype(np.float32) if rng.random() < 0.7 else None,
            spans=tuple((s * HOUR, (s + rng.choice([0, 24, 700])) * HOUR) for s in rng.sample(range(400), rng.randint(0, 2))),
            kinds=frozenset(rng.sample(sorted(MEMORY_KINDS), rng.randint(1, 3))) if rng.random() < 0.3 else MEMORY_KINDS,
            sessions=sometimes(frozenset(rng.sample(range(1, 6), 2))),
            speakers=sometimes(frozenset(rng.sample(["Ana", "Ben", "Çelik", "Nobody"], 2))),
            said=sometimes((start, start + 200 * HOUR)),
            happened=sometimes((start, start + 100 * HOUR)),
            labelled=sometimes(np.array(rng.sample(messages, len(messages) // 2), np.int64)),
            include=np.array([*rng.sample(list(self.known), min(len(self.known), rng.randint(0, 2))), 10**9], np.int64),
            lexical_limit=rng.choice([0, 1, 3, 10]),
            dense_limit=rng.choice([0, 1, 3, 10]),
            temporal_limit=rng.choice([0, 1, 3, 10]),
            instruction_limit=rng.choice([0, 1, 3]),
            neighbours=rng.randint(0, 2),
            bm25=rng.choice([Bm25(), Bm25(1.2, 0.75, 0.5)]),
        )
        return query, words

    def passes(self, entry: MemoryEntry, query: IndexQuery) -> bool:
        times = [(s, max(e, s + 1)) for s, e in entry.spans] if entry.kind != NodeKind.MESSAGE else []
        times = times or [(entry.said_at, entry.said_at + 1)]
        live = {k for k, known in self.known.items() if known.entry.kind == NodeKind.MESSAGE}
        labelled = {entry.key} if entry.kind == NodeKind.MESSAGE else set(entry.evidence)
        return (
            entry.kind in query.kinds
            and (query.sessions is None or entry.session in query.sessions)
            and (query.speakers is None or entry.speaker in query.speakers)
            and (query.said is None or query.said[0] <= entry.said_at < query.said[1])
            and (query.happened is None or any(s < query.happened[1] and e > query.happened[0] for s, e in times))
            and (query.labelled is None or bool(labelled & live & set(query.labelled.tolist())))
        )

    def group(self, kind: NodeKind) -> StatisticsGroup:
        return StatisticsGroup.MESSAGES if kind == NodeKind.MESSAGE else StatisticsGroup.STATEMENTS

    def statistics(self, words: list[str]) -> dict[StatisticsGroup, tuple[int, float, list[int]]]:
        result = {}
        for group in StatisticsGroup:
            texts = [text for k in self.known.values() if self.group(k.entry.kind) == group for text in k.words]
            mean = sum(map(len, texts)) / len(texts) if texts else 0.0
            result[group] = (len(texts), mean, [sum(word in text for text in texts) for word in words])
        return result

    def lexical(self, query: IndexQuery, words: list[str]) -> dict[int, float]:
        statistics, bm25 = self.statistics(words), query.bm25
        scores = {}
        for key, known in self.known.items():
            count, mean, frequencies = statistics[self.group(known.entry.kind)]
            best = 0.0
            for text in known.words:
                score = 0.0
                for word, frequency in zip(words, frequencies, strict=True):
                    tf = text.count(word)
                    if tf:
                        norm = bm25.k1 * (1 - bm25.b + bm25.b * len(text) / mean)
                        idf = math.log((count + 1) / frequency)
                        score += idf * (tf * (bm25.k1 + 1) / (tf + norm) + bm25.delta)
                best = max(best, score)
            if best > 0 and self.passes(known.entry, query):
                scores[key] = best
        return scores

    def dense(self, query: IndexQuery) -> dict[int, float]:
        if query.vector is None:
            return {}
        return {
            key: max(cosine(query.vector, vector) for vector in known.vectors.values())
            for key, known in self.known.items()
            if known.vectors and self.passes(known.entry, query)
        }

    def temporal(self, query: IndexQuery) -> dict[int, float]:
        scores = {}
        for key, known in self.known.items():
            for start, end in query.spans:
                end = max(end, start + 1)
                for s, e in [*known.entry.spans, (known.entry.said_at, known.entry.said_at)]:
                    if s < end and max(e, s + 1) > start and self.passes(known.entry, query):
                        width = end - start
                        cost = max(e - s, width) / width + abs((s + e) / 2 - (start + end) / 2) / width
                        scores[key] = max(scores.get(key, -math.inf), -cost)
        return scores

    def instructions(self, query: IndexQuery) -> dict[int, float]:
        entries = {key: self.known[key].entry for key in self.dense(query)}
        instructed = {key for key, entry in entries.items() if entry.role == Role.USER and entry.features & Feature.INSTRUCTION}
        return {key: score for key, score in self.dense(query).items() if key in instructed}

    def chain(self, key: int) -> list[int]:
        entry = self.known[key].entry
        same = [k.entry for k in self.known.values() if k.entry.kind == NodeKind.MESSAGE and k.entry.session == entry.session]
        return [each.key for each in sorted(same, key=lambda each: each.seq)]

    def with_related(self, found: set[int], neighbours: int) -> set[int]:
        rows = set(found)
        rows |= {m for key in found for m in self.known[key].entry.evidence if m in self.known}
        messages = {key for key in rows if self.known[key].entry.kind == NodeKind.MESSAGE}
        for message in messages:
            rows |= set([key for key, known in self.known.items() if message in known.entry.evidence][:STATEMENTS_PER_MESSAGE])
        for key in messages:
            chain = self.chain(key)
            place = chain.index(key)
            rows |= set(chain[max(0, place - neighbours) : place + neighbours + 1])
        return rows

    def check(self, rng: random.Random) -> None:
        """Asks a random query and compares everything in the answer."""
        query, words = self.query(rng)
        answer = self.index.search(query, self.read_vectors)
        must: set[int] = {int(key) for key in query.include if int(key) in self.known}
        may = set(must)
        for scores, limit in (
            (self.lexical(query, words), query.lexical_limit),
            (self.dense(query), query.dense_limit),
            (self.temporal(query), query.temporal_limit),
            (self.instructions(query), query.instruction_limit),
        ):
            sure, possible = best(scores, limit)
            must |= sure
            may |= possible
        keys = [int.from_bytes(bytes(uuid), "big") for uuid in answer.ids._uuids]
        assert len(set(keys)) == len(keys)
        assert self.with_related(must, query.neighbours) <= set(keys) <= self.with_related(may, query.neighbours)
        self._compare(query, words, answer, keys)

    def _compare(self, query, words, answer, keys) -> None:
        known = [self.known[key] for key in keys]
        entries = [each.entry for each in known]
        assert answer.kind.tolist() == [e.kind for e in entries]
        assert answer.role.tolist() == [e.role for e in entries]
        assert answer.session.tolist() == [e.session for e in entries]
        assert answer.seq.tolist() == [e.seq for e in entries]
        assert [answer.speakers[i] for i in answer.speaker] == [e.speaker for e in entries]
        assert answer.said_at.tolist() == [e.said_at for e in entries]
        assert answer.features.tolist() == [e.features for e in entries]
        assert answer.eligible.tolist() == [self.passes(e, query) for e in entries]
        for row, entry in enumerate(entries):
            chain = self.chain(entry.key) if entry.kind == NodeKind.MESSAGE else [entry.key]
            place = chain.index(entry.key)
            before = chain[place - 1] if place else None
            after = chain[place + 1] if place + 1 < len(chain) else None
            assert answer.previous[row] == (keys.index(before) if before in keys else -1)
            assert answer.next[row] == (keys.index(after) if after in keys else -1)
        texts = [text for each in known for text in each.words]
        assert answer.passage_row.tolist() == [row for row, each in enumerate(known) for _ in each.words]
        assert answer.length.tolist() == [len(text) for text in texts]
        assert answer.term_counts.tolist() == [[text.count(word) for word in words] for text in texts]
        for value, vector in zip(answer.similarity, [k.vectors.get(i) for k in known for i in range(len(k.words))], strict=True):
            if vector is None or query.vector is None:
                assert math.isnan(value)
            else:
                assert value == pytest.approx(cosine(query.vector, vector), abs=1e-5)
        spans = sorted(zip(answer.span_row.tolist(), answer.span_start.tolist(), answer.span_end.tolist(), strict=True))
        assert spans == sorted((row, *span) for row, entry in enumerate(entries) for span in entry.spans)
        pairs = sorted(zip(answer.statement_row.tolist(), answer.message_row.tolist(), strict=True))
        assert pairs == sorted((row, keys.index(m)) for row, e in enumerate(entries) for m in e.evidence if m in keys)
        for group, (count, mean, frequencies) in self.statistics(words).items():
            found = answer.statistics[group]
            assert found.count == count
            assert found.mean_length == pytest.approx(mean)
            assert found.document_frequency.tolist() == frequencies


def unit(rng: np.random.Generator, dimension: int) -> np.ndarray:
    vector = rng.standard_normal(dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float16)


def cosine(query: np.ndarray, vector: np.ndarray) -> float:
    return float(query.astype(np.float64) @ vector.astype(np.float64))


def best(scores: dict[int, float], limit: int) -> tuple[set[int], set[int]]:
    """Keys that are surely among the best, and those that may be: scores within rounding of the last may be on either side."""
    if limit == 0:
        return set(), set()
    if len(scores) <= limit:
        return set(scores), set(scores)
    last = sorted(scores.values(), reverse=True)[limit - 1]
    margin = 1e-5 * max(1.0, abs(last))
    return {k for k, v in scores.items() if v > last + margin}, {k for k, v in scores.items() if v >= last - margin}


@pytest.fixture(scope="session")
def make_world() -> type[World]:
    return World


@pytest.fixture(scope="session")
def plain_query():
    """A query that asks for nothing; fields are given by name."""
    nothing = IndexQuery(
        term_hashes=np.empty(0, np.uint64),
        vector=None,
        spans=(),
        kinds=MEMORY_KINDS,
        sessions=None,
        speakers=None,
        said=None,
        happened=None,
        labelled=None,
        include=np.empty(0, np.int64),
        lexical_limit=100,
        dense_limit=100,
        temporal_limit=0,
        instruction_limit=0,
        neighbours=0,
        bm25=Bm25(),
    )
    return lambda **given: replace(nothing, **given)


@pytest.fixture(scope="session")
def make_message():
    """A message of one passage; its passage has the memory's key."""

    def make(key: int, text: str, session: int = 1, **given) -> MemoryEntry:
        counts = Counter(text.split())
        hashes = np.array([term_hash(word) for word in counts], np.uint64)
        passage = PassageEntry(key, hashes, np.array(list(counts.values()), np.uint8), sum(counts.values()))
        message = MemoryEntry(key, key.to_bytes(16, "big"), NodeKind.MESSAGE, 1, session, key, "Ana", key * HOUR, 0, (), (passage,))
        return replace(message, **given)

    return make
