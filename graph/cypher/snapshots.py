"""Cypher on snapshots: the namespace as it is at its newest revision, loaded into a process of the engine and kept while it is current."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from graph.cypher.graph_rows import LABELS, Row, edge_row, node_row
from graph.cypher.port import CypherHeader, CypherLimits, CypherPart, CypherQuery, CypherSummary
from graph.cypher.process import EngineProcess
from graph.cypher.read_only import read_only_query
from graph.cypher.times import exact_time
from graph.cypher.tokens import check_parameters
from graph.cypher.values import CypherDuration, CypherPoint, CypherTime, CypherValue
from graph.cypher.wire import decoded, encoded
from graph.errors import CypherInvalid, CypherLimit
from graph.giving_up import in_thread
from graph.model import Edge, Node, kind_of, kind_of_node
from graph.store.exported_edges import ExportedEdges
from graph.store.port import Memory, Store
from graph.store.snapshot import Snapshot, open_snapshot


class _CacheEntry:
    """A namespace at a revision, and the process that holds it once somebody asked. Queries of it run one after the other."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.turn = asyncio.Lock()
        self.process: EngineProcess | None = None
        self.waiting = 0
        self.busy = False
        self.expiry: asyncio.TimerHandle | None = None


class SnapshotCypher:
    """Runs queries on snapshots. At most `limits.snapshots` are loaded; of those that nobody asks the one asked longest ago gives way.

    A snapshot is derived from one revision of one namespace (by its uid, which is never reused), and let go when it has another revision.
    """

    def __init__(self, store: Store, limits: CypherLimits) -> None:
        self._store = store
        self._limits = limits
        self._entries: dict[str, _CacheEntry] = {}
        # Entries with a process, the one that was asked longest ago first; also such as were replaced while they answered.
        self._loaded: OrderedDict[_CacheEntry, EngineProcess] = OrderedDict()
        self._running = asyncio.Semaphore(limits.snapshots)
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, namespace: str, query: CypherQuery) -> AsyncGenerator[CypherPart, None]:
        """See `CypherRunner.run`."""
        limits = self._limits
        # In a thread: 20,000 brackets, or parameters of megabytes, take tenths of a second.
        text, parameters = await in_thread(lambda: _checked(query))
        rows, seconds = min(query.max_rows, limits.rows), min(query.timeout, limits.timeout)
        message = [text, parameters, rows, limits.bytes, limits.row_bytes, seconds]
        memory = self._store.namespace(namespace, query.at_least)
        entry = await self._enter(memory)
        try:
            async with entry.turn, self._running:
                entry.busy = True
                try:
                    process = await self._process(memory, entry)
                    answer, revision = await process.answer(message, seconds), entry.revision
                finally:
                    entry.busy = False
        finally:
            self._leave(entry)
        for part in answer:
            yield _part(part, revision)

    async def close(self) -> None:
        """Ends every process."""
        self._entries.clear()
        for entry in list(self._loaded):
            self._unload(entry)
        await asyncio.gather(*self._ending)

    async def _enter(self, memory: Memory) -> _CacheEntry:
        """The entry of the namespace's newest revision."""
        found = await memory.settings()
        entry = self._entries.get(found.uid)
        if entry is None or entry.revision != found.revision:
            if entry is not None and not entry.waiting:
                self._unload(entry)
            entry = self._entries[found.uid] = _CacheEntry(found.revision)
        entry.waiting += 1
        if entry.expiry is not None:
            entry.expiry.cancel()
        return entry

    def _leave(self, entry: _CacheEntry) -> None:
        """Whoever asked is done: a entry that was replaced meanwhile ends, another one when nobody asks it for a while."""
        entry.waiting -= 1
        if entry.waiting:
            return
        if entry not in self._entries.values() or entry.process is None:
            self._unload(entry)
        else:
            entry.expiry = asyncio.get_running_loop().call_later(self._limits.idle, self._unload, entry)

    async def _process(self, memory: Memory, entry: _CacheEntry) -> EngineProcess:
        """The process with the snapshot, loaded if it is not there. Called by whose turn it is."""
        if entry.process is not None and entry.process.alive:
            self._loaded.move_to_end(entry)
            return entry.process
        described = await memory.describe()
        nodes = sum(described.nodes.values()) + sum(described.retired.values())
        if nodes > self._limits.nodes:
            raise CypherLimit(f"the namespace has {nodes:,} nodes; Cypher works on snapshots of at most {self._limits.nodes:,}")
        self._forget(entry)
        self._make_room()
        namespace, snapshot = await open_snapshot(memory, with_vectors=False)
        async with aclosing(snapshot):
            process = entry.process = self._loaded[entry] = await EngineProcess.started(self._limits.memory)
            try:
                await _send(process, memory.name, snapshot)
                await process.ready()
            except BaseException:
                self._forget(entry)
                raise
        entry.revision = namespace.revision
        return process

    def _make_room(self) -> None:
        """Ends what nobody asks, until there is room for one more."""
        for entry in [entry for entry in self._loaded if not entry.busy]:
            if len(self._loaded) < self._limits.snapshots:
                return
            self._forget(entry)

    def _unload(self, entry: _CacheEntry) -> None:
        self._forget(entry)
        for uid in [uid for uid, kept in self._entries.items() if kept is entry]:
            del self._entries[uid]

    def _forget(self, entry: _CacheEntry) -> None:
        """Ends the entry's process, if it has one."""
        if entry.expiry is not None:
            entry.expiry.cancel()
        process, entry.process = self._loaded.pop(entry, None), None
        if process is not None:
            task = asyncio.get_running_loop().create_task(process.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _checked(query: CypherQuery) -> tuple[str, object]:
    """The query's text and its parameters as the engine takes them. Raises CypherInvalid, CypherRefused."""
    check_parameters(query.text, query.parameters)
    return read_only_query(query.text), encoded({name: _parameter(name, value) for name, value in query.parameters.items()})


def _parameter(name: str, value: CypherValue) -> CypherValue:
    """A parameter as the engine takes it: it knows times to the microsecond, and no zones but offsets, which mean the same instant.

    Raises CypherInvalid.
    """
    match value:
        case CypherTime():
            plain = replace(exact_time(value), zone="").value
            if isinstance(plain, CypherTime):
                raise CypherInvalid(f"the parameter ${name} has nanoseconds; snapshots know times to the microsecond")
            return plain
        case CypherDuration() | CypherPoint():
            raise CypherInvalid(
                f"the parameter ${name} cannot be a duration or a point in a snapshot; give a text, and write duration(${name})"
            )
        case Mapping():
            return {key: _parameter(name, item) for key, item in value.items()}
        case list() | tuple():
            return [_parameter(name, item) for item in value]
        case _:
            return value


async def _send(process: EngineProcess, name: str, snapshot: Snapshot) -> None:
    """Hands the snapshot over, nodes before their edges, those of one kind together."""
    edges = ExportedEdges()
    async for batch in snapshot:
        nodes: dict[str, list[Row]] = {}
        between: dict[tuple[str, str, str], list[Row]] = {}
        for record in batch:
            if isinstance(record, Node):
                nodes.setdefault(LABELS[kind_of_node(record)], []).append(node_row(name, record))
            for edge in edges.of(record):
                between.setdefault(_ends(edge), []).append(edge_row(edge))
        for label, rows in nodes.items():
            await process.send(["nodes", label, [encoded(row) for row in rows]])
        for ends, rows in between.items():
            await process.send(["edges", *ends, [encoded(row) for row in rows]])


def _ends(edge: Edge) -> tuple[str, str, str]:
    return edge.kind.name, LABELS[kind_of(edge.source_id)], LABELS[kind_of(edge.target_id)]


def _part(message: list[object], revision: int) -> CypherPart:
    match message:
        case ["columns", list() as columns]:
            return CypherHeader(tuple(map(str, columns)), revision)
        case ["rows", list() as rows]:
            return [[decoded(value) for value in row] for row in rows]
        case ["end", int() as rows, bool() as truncated]:
            return CypherSummary(rows, truncated)
        case _:
            raise AssertionError("the process of the engine and the service are of different versions")
