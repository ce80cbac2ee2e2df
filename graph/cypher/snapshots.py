"""Cypher on snapshots: the namespace as it is at its newest revision, loaded into a process of the engine and kept while it is current."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from graph.cypher.graph_rows import LABELS, Row, edge_row, node_row
from graph.cypher.permitted import permitted
from graph.cypher.port import CypherHeader, CypherLimits, CypherPart, CypherQuery, CypherSummary
from graph.cypher.process import EngineProcess
from graph.cypher.times import exact_time
from graph.cypher.tokens import check_parameters
from graph.cypher.values import CypherDuration, CypherPoint, CypherTime, CypherValue
from graph.cypher.wire import decoded, encoded
from graph.errors import CypherInvalid, CypherLimit
from graph.model import Edge, Entity, Event, Message, Session, Statement, kind_of, kind_of_node
from graph.store.exported_edges import ExportedEdges
from graph.store.port import Memory, Store
from graph.store.snapshot import Snapshot, open_snapshot

_NODE_TYPES = (Session, Message, Event, Statement, Entity)


class _Place:
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
        self._places: dict[str, _Place] = {}
        # Places with a process, the one that was asked longest ago first; also such as were replaced while they answered.
        self._loaded: OrderedDict[_Place, EngineProcess] = OrderedDict()
        self._running = asyncio.Semaphore(limits.snapshots)
        self._ending: set[asyncio.Task[None]] = set()

    async def run(self, namespace: str, query: CypherQuery) -> AsyncGenerator[CypherPart, None]:
        """See `CypherRunner.run`."""
        limits = self._limits
        check_parameters(query.text, query.parameters)
        rows, seconds = min(query.max_rows, limits.rows), min(query.timeout, limits.timeout)
        parameters = {name: _parameter(name, value) for name, value in query.parameters.items()}
        message = [permitted(query.text), encoded(parameters), rows, limits.bytes, limits.row_bytes, seconds]
        memory = self._store.namespace(namespace, query.at_least)
        place = await self._enter(memory)
        try:
            async with place.turn, self._running:
                place.busy = True
                try:
                    process = await self._process(memory, place)
                    answer, revision = await process.answer(message, seconds), place.revision
                finally:
                    place.busy = False
        finally:
            self._leave(place)
        for part in answer:
            yield _part(part, revision)

    async def close(self) -> None:
        """Ends every process."""
        self._places.clear()
        for place in list(self._loaded):
            self._unload(place)
        await asyncio.gather(*self._ending)

    async def _enter(self, memory: Memory) -> _Place:
        """The place of the namespace's newest revision."""
        found = await memory.settings()
        place = self._places.get(found.uid)
        if place is None or place.revision != found.revision:
            if place is not None and not place.waiting:
                self._unload(place)
            place = self._places[found.uid] = _Place(found.revision)
        place.waiting += 1
        if place.expiry is not None:
            place.expiry.cancel()
        return place

    def _leave(self, place: _Place) -> None:
        """Whoever asked is done: a place that was replaced meanwhile ends, another one when nobody asks it for a while."""
        place.waiting -= 1
        if place.waiting:
            return
        if place not in self._places.values() or place.process is None:
            self._unload(place)
        else:
            place.expiry = asyncio.get_running_loop().call_later(self._limits.idle, self._unload, place)

    async def _process(self, memory: Memory, place: _Place) -> EngineProcess:
        """The process with the snapshot, loaded if it is not there. Called by whose turn it is."""
        if place.process is not None and place.process.alive:
            self._loaded.move_to_end(place)
            return place.process
        described = await memory.describe()
        nodes = sum(described.nodes.values()) + sum(described.retired.values())
        if nodes > self._limits.nodes:
            raise CypherLimit(f"the namespace has {nodes:,} nodes; Cypher works on snapshots of at most {self._limits.nodes:,}")
        self._forget(place)
        self._make_room()
        namespace, snapshot = await open_snapshot(memory, with_vectors=False)
        async with aclosing(snapshot):
            process = place.process = self._loaded[place] = await EngineProcess.started(self._limits.memory)
            try:
                await _send(process, memory.name, snapshot)
                await process.ready()
            except BaseException:
                self._forget(place)
                raise
        place.revision = namespace.revision
        return process

    def _make_room(self) -> None:
        """Ends what nobody asks, until there is room for one more."""
        for place in [place for place in self._loaded if not place.busy]:
            if len(self._loaded) < self._limits.snapshots:
                return
            self._forget(place)

    def _unload(self, place: _Place) -> None:
        self._forget(place)
        for uid in [uid for uid, kept in self._places.items() if kept is place]:
            del self._places[uid]

    def _forget(self, place: _Place) -> None:
        """Ends the place's process, if it has one."""
        if place.expiry is not None:
            place.expiry.cancel()
        process, place.process = self._loaded.pop(place, None), None
        if process is not None:
            task = asyncio.get_running_loop().create_task(process.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


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
            if isinstance(record, _NODE_TYPES):
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
