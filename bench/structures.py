"""`bench structures`: the search index's own structures beside the ready-made ones that could stand in their place.

The same synthetic text goes into our inverted index, SQLite's FTS5 and, where it is installed, tantivy; the same vectors into the sign bits
and a plain matrix. Everything runs in one process and one thread, one query after the other, so that the figures compare with each other.
"""

import argparse
import contextlib
import importlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from bench.percentiles import percentiles
from bench.report import BenchError, Report
from bench.scale.vectors import DIMENSION, Vectors
from bench.scale.words import Zipf, vocabulary
from graph.model import MEMORY_KINDS, NodeKind
from graph.store.bm25 import Bm25
from graph.store.search import IndexQuery, MemoryEntry, PassageEntry, SearchIndex, term_hash
from graph.text import terms_of

HELP = "Compares the search index with SQLite FTS5, tantivy and exact vector search on the same synthetic passages."
TOP = 60
QUERY_TERMS = 5
_BATCH = 1_000
Terms = Sequence[str]
Ask = Callable[[Any], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this subcommand."""
    parser.add_argument("--passages", type=int, default=100_000, help="how many passages to index (default: 100,000)")
    parser.add_argument("--queries", type=int, default=200, help="how many queries to time (default: 200)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(parsed: argparse.Namespace) -> int:
    """Runs the comparison."""
    if parsed.passages < _BATCH or parsed.queries < 1:
        raise BenchError(f"at least {_BATCH:,} passages and one query are needed")
    report = Report(parsed.json)
    random = np.random.default_rng(1)
    with report.step("making text and vectors", parsed.passages) as step:
        texts = list(_texts(parsed.passages, random, step.advance))
        vectors, asked = _vectors(parsed.passages, parsed.queries, random)
    queries = _queries(texts, parsed.queries, random)
    with report.step("building the search index", parsed.passages) as step:
        index, built = _build_index(texts, vectors, step.advance)
    figures: dict[str, object] = {
        "passages": parsed.passages,
        "index": {"entries_per_s": round(parsed.passages / built), "bytes_per_passage": round(index.nbytes / parsed.passages)},
        "snapshot_s": _snapshot(index),
        "lexical_ms": dict(_lexical(report, index, texts, queries)),
        "dense_ms": _dense(report, index, vectors, asked),
    }
    _show(report, figures)
    report.result(figures)
    return 0


def _texts(count: int, random: np.random.Generator, advance: Callable[[int], None]) -> Iterator[Terms]:
    zipf = Zipf(vocabulary(), random)
    for start in range(0, count, _BATCH):
        lengths = zipf.lengths(min(_BATCH, count - start))
        words = zipf.draw(int(lengths.sum()))
        for end, length in zip(np.cumsum(lengths), lengths, strict=True):
            yield terms_of(" ".join(words[end - length : end]))
        advance(len(lengths))


def _vectors(count: int, queries: int, random: np.random.Generator) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    source = Vectors(random)
    stored = np.empty((count, DIMENSION), np.float16)
    for start in range(0, count, 25):
        stored[start : start + 25] = source.session(source.topic(), min(25, count - start))
    picked = stored[random.integers(0, count, queries)].astype(np.float32)
    return stored, source.near(picked, 0.8)


def _queries(texts: Sequence[Terms], count: int, random: np.random.Generator) -> list[Terms]:
    """Terms of some passages: as frequent as in the text, all of them content words."""
    queries: list[Terms] = []
    while len(queries) < count:
        terms = sorted(set(texts[int(random.integers(len(texts)))]))
        if len(terms) >= QUERY_TERMS:
            queries.append([terms[i] for i in random.choice(len(terms), QUERY_TERMS, replace=False)])
    return queries


def _build_index(texts: Sequence[Terms], vectors: NDArray[np.float16], advance: Callable[[int], None]) -> tuple[SearchIndex, float]:
    index, spent = SearchIndex(DIMENSION), 0.0
    for start in range(0, len(texts), _BATCH):
        entries = [_entry(key, texts[key]) for key in range(start, min(start + _BATCH, len(texts)))]
        began = time.perf_counter()
        index.add(entries)
        index.set_vectors(np.arange(start, start + len(entries)), vectors[start : start + len(entries)])
        spent += time.perf_counter() - began
        advance(len(entries))
    return index, spent


def _entry(key: int, terms: Terms) -> MemoryEntry:
    counts = Counter(terms)
    hashes = np.array([term_hash(term) for term in counts], np.uint64)
    passage = PassageEntry(key, hashes, np.array([min(count, 255) for count in counts.values()], np.uint8), len(terms))
    return MemoryEntry(key, key.to_bytes(16, "big"), NodeKind.MESSAGE, 1, key // 25, key % 25, "Ana", key, 0, (), (passage,))


def _snapshot(index: SearchIndex) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "namespace.index"
        began = time.perf_counter()
        index.save(path)
        saved = time.perf_counter()
        SearchIndex.load(path)
        return {"save": round(saved - began, 2), "load": round(time.perf_counter() - saved, 2)}


def _lexical(
    report: Report, index: SearchIndex, texts: Sequence[Terms], queries: Sequence[Terms]
) -> Iterator[tuple[str, dict[str, float | None]]]:
    def ours(terms: Terms) -> object:
        return index.search(_index_query(terms, None), lambda keys: np.empty((len(keys), DIMENSION), np.float16))

    yield "search index", _timed(ours, queries)
    with tempfile.TemporaryDirectory() as directory:
        with report.step("building FTS5"):
            ask = _fts5(Path(directory) / "fts5.db", texts)
        yield "SQLite FTS5", _timed(ask, queries)
    with contextlib.suppress(ImportError):
        tantivy = importlib.import_module("tantivy")
        with tempfile.TemporaryDirectory() as directory:
            with report.step("building tantivy"):
                ask = _tantivy(tantivy, directory, texts)
            yield "tantivy", _timed(ask, queries)


def _index_query(terms: Terms, vector: NDArray[np.float32] | None) -> IndexQuery:
    """The best of one channel alone, with everything measured that a search measures."""
    return IndexQuery(
        term_hashes=np.array([term_hash(term) for term in terms], np.uint64),
        vector=vector,
        spans=(),
        kinds=MEMORY_KINDS,
        sessions=None,
        speakers=None,
        said=None,
        happened=None,
        labelled=None,
        include=np.empty(0, np.int64),
        lexical_limit=TOP,
        dense_limit=TOP,
        temporal_limit=0,
        instruction_limit=0,
        neighbours=0,
        bm25=Bm25(),
    )


def _fts5(path: Path, texts: Sequence[Terms]) -> Ask:
    connection = apsw.Connection(str(path))
    connection.execute("CREATE VIRTUAL TABLE passages USING fts5(body, content='', tokenize='unicode61')")
    with connection:
        connection.executemany("INSERT INTO passages (rowid, body) VALUES (?, ?)", ((i, " ".join(terms)) for i, terms in enumerate(texts)))
    connection.execute("INSERT INTO passages (passages) VALUES ('optimize')")

    def ask(terms: Terms) -> object:
        match = " OR ".join(f'"{term}"' for term in terms)
        return list(connection.execute("SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?", (match, TOP)))

    return ask


def _tantivy(tantivy: Any, directory: str, texts: Sequence[Terms]) -> Ask:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("key", stored=True)
    builder.add_text_field("body", stored=False, tokenizer_name="whitespace")
    index = tantivy.Index(builder.build(), path=directory)
    writer = index.writer(heap_size=128_000_000, num_threads=1)
    for key, terms in enumerate(texts):
        writer.add_document(tantivy.Document(key=key, body=" ".join(terms)))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(terms: Terms) -> object:
        hits = searcher.search(index.parse_query(" ".join(terms), ["body"]), TOP).hits
        return [searcher.doc(address)["key"] for _, address in hits]

    return ask


def _dense(report: Report, index: SearchIndex, vectors: NDArray[np.float16], asked: NDArray[np.float32]) -> dict[str, object]:
    """The sign bits beside all cosines; the vectors that they ask for come from memory here, from the namespace's file in the store."""
    with report.step("widening vectors"):
        exact = vectors.astype(np.float32)
    read: list[int] = []

    def read_vectors(keys: NDArray[np.int64]) -> NDArray[np.float16]:
        read.append(len(keys))
        return vectors[keys]

    def bits(vector: NDArray[np.float32]) -> NDArray[np.int64]:
        answer = index.search(_index_query((), vector), read_vectors)
        best = np.argsort(-answer.similarity)[:TOP]
        return answer.said_at[best]  # the message's number

    def matrix(vector: NDArray[np.float32]) -> NDArray[np.intp]:
        cosines = exact @ vector
        best = np.argpartition(-cosines, TOP)[:TOP]
        return best[np.argsort(-cosines[best])]

    recall = [len(np.intersect1d(bits(vector), matrix(vector))) / TOP for vector in asked]
    return {
        "search index": _timed(bits, asked),
        "float32 matrix": _timed(matrix, asked),
        f"recall@{TOP}": round(float(np.mean(recall)), 4),
        "vectors_read": round(float(np.mean(read))),
    }


def _timed(ask: Ask, queries: Sequence[Any] | NDArray[np.float32]) -> dict[str, float | None]:
    seconds = []
    for query in queries:
        began = time.perf_counter()
        ask(query)
        seconds.append(time.perf_counter() - began)
    return percentiles(seconds)


def _show(report: Report, figures: dict[str, Any]) -> None:
    columns = ("", "p50 ms", "p95 ms", "p99 ms")
    for title, key in ((f"Lexical, {QUERY_TERMS} terms, best {TOP}", "lexical_ms"), (f"Dense, best {TOP}", "dense_ms")):
        rows = [(name, *times.values()) for name, times in figures[key].items() if isinstance(times, dict)]
        report.table(f"{title}, {figures['passages']:,} passages", columns, rows)
    report.note(
        f"dense recall@{TOP} {figures['dense_ms'][f'recall@{TOP}']:.4f}, {figures['dense_ms']['vectors_read']} vectors read a query"
    )
    index, snapshot = figures["index"], figures["snapshot_s"]
    report.note(f"index: {index['entries_per_s']:,} entries/s, {index['bytes_per_passage']} bytes a passage")
    report.note(f"snapshot: {snapshot['save']} s to save, {snapshot['load']} s to load")
