"""Listings, edges, walks, counts."""

from datetime import timedelta

import networkx as nx
import pytest

from graph.errors import NotFound
from graph.model import Edge, EdgeKind, Granularity, LabelCondition, LabelFilter, NodeKind, TimeRange, TimeSpan
from graph.store.port import EntityQuery, EventQuery, ExtractionWrite, GenerationStart, MessageQuery, StatementQuery

ALL = list(EdgeKind)


async def all_pages(fetch, limit):
    cursor, items = None, []
    while True:
        page = await fetch(cursor, limit)
        assert len(page.items) <= limit
        items += page.items
        if page.next is None:
            return items
        assert all(isinstance(part, int | str) for part in page.next)
        cursor = page.next


async def test_pages_of_messages_hold_each_once(bench):
    await bench.say(*(bench.draft(str(i), i // 3) for i in range(10)))
    await bench.say(*(bench.draft(f"b{i}", i) for i in range(5)), session="s2")
    for query, count in ((MessageQuery(), 15), (MessageQuery(sessions=("s1",)), 10), (MessageQuery(sessions=("s1", "s2")), 15)):
        listed = await all_pages(
            lambda cursor, limit, query=query: bench.store.namespace(bench.namespace).list_messages(query, cursor, limit), 4
        )
        assert len({m.id for m in listed}) == len(listed) == count
        key = (lambda m: m.seq) if len(query.sessions) == 1 else (lambda m: m.sent_at)
        assert listed == sorted(listed, key=key)


async def test_the_last_messages_of_a_session_end_before_a_moment(bench):
    await bench.say(*(bench.draft(str(i), i) for i in range(6)))
    await bench.say(bench.draft("elsewhere", 3), session="s2")
    memory = bench.store.namespace(bench.namespace)

    async def last(session, minutes, limit):
        return [m.text for m in await memory.last_messages(session, bench.monday + timedelta(minutes=minutes), limit)]

    assert await last("s1", 60, 3) == ["3", "4", "5"]
    assert await last("s1", 4, 3) == ["1", "2", "3"]
    assert await last("s1", 1, 3) == ["0"]
    assert await last("s1", 0, 3) == await last("nobody", 60, 3) == []


async def test_messages_are_filtered(bench):
    await bench.say(
        bench.draft("a", 0, "Ana", labels={"topic": "work", "mood": "good"}),
        bench.draft("b", 1, "Ben", labels={"topic": "home"}),
        bench.draft("c", 2, "Ana"),
    )

    async def texts(**query):
        page = await bench.store.namespace(bench.namespace).list_messages(MessageQuery(**query), None, 10)
        return "".join(m.text for m in page.items)

    topic, mood = LabelCondition("topic"), LabelCondition("mood", ("good", "fine"))
    assert await texts(speakers=("Ana",)) == "ac"
    assert await texts(sessions=("nobody",)) == ""
    assert await texts(sessions=("nobody", "s1"), speakers=("Ben",)) == "b"
    minute = timedelta(minutes=1)
    assert await texts(said=TimeRange(bench.monday + minute, bench.monday + 2 * minute)) == "b"
    assert await texts(labels=LabelFilter(all_of=(topic,))) == "ab"
    assert await texts(labels=LabelFilter(all_of=(topic, mood))) == "a"
    assert await texts(labels=LabelFilter(any_of=(mood, LabelCondition("topic", ("home",))))) == "ab"
    assert await texts(labels=LabelFilter(none_of=(mood,))) == "bc"
    assert await texts(labels=LabelFilter(all_of=(topic,), none_of=(mood,)), speakers=("Ben",)) == "b"


async def test_sessions_come_in_the_order_of_their_creation(bench):
    for name in ("z", "a", "m"):
        await bench.say("x", session=name)
    listed = await all_pages(lambda cursor, limit: bench.store.namespace(bench.namespace).list_sessions(cursor, limit), 2)
    assert [s.name for s in listed] == ["z", "a", "m"]


async def test_events_and_statements_are_listed_and_filtered(bench):
    await bench.say("one", "two", bench.draft("three", 90))
    write = await bench.extract()
    await bench.say("other", session="s2")
    await bench.extract("s2")
    events = await all_pages(lambda cursor, limit: bench.store.namespace(bench.namespace).list_events(EventQuery(), cursor, limit), 2)
    assert len(events) == 4
    assert [e.said_at for e in events] == sorted(e.said_at for e in events)
    late = EventQuery(TimeRange(bench.monday + timedelta(hours=1)), ("s1",))
    assert [e.title for e in (await bench.store.namespace(bench.namespace).list_events(late, None, 9)).items] == ["Event: three"]
    ana = (await bench.store.namespace(bench.namespace).query_scope(["ana"])).entities[0]
    assert ana.id == write.entities[0].id
    about = await bench.store.namespace(bench.namespace).list_events(EventQuery(entity_ids=(ana.id,), sessions=("s2",)), None, 9)
    assert [e.title for e in about.items] == ["Event: other"]

    async def statements(**query):
        page = await bench.store.namespace(bench.namespace).list_statements(StatementQuery(**query), None, 9)
        return [s.text for s in page.items]

    assert len(await statements()) == 4
    assert await statements(sessions=("s2",)) == ["Fact: other"]
    assert await statements(kinds=frozenset({NodeKind.RELATION})) == []
    assert len(await statements(entity_ids=(ana.id,), speakers=("Ana",))) == 4
    assert await statements(entity_ids=(bench.ids.mint("ent"),)) == []
    assert await statements(said=TimeRange(bench.monday + timedelta(hours=1))) == ["Fact: three"]


async def test_events_are_listed_by_when_they_happened(bench):
    from graph.store.port import ExtractionWrite, GenerationStart

    await bench.say("a")
    generation = await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(bench.extractor))
    lease = await bench.flushed_lease()
    message = (await bench.store.namespace(lease.job.namespace).pending(lease, 9)).messages[0]
    may = TimeSpan(bench.monday.replace(year=2020), bench.monday.replace(year=2021), Granularity.YEAR)
    past, said = bench.event("past", [], [message], time=may), bench.event("said", [], [message])
    await bench.store.namespace(lease.job.namespace).commit_extraction(lease, ExtractionWrite(generation, 0, 1, events=(said, past)))
    listed = await bench.store.namespace(bench.namespace).list_events(EventQuery(), None, 9)
    assert [e.title for e in listed.items] == ["past", "said"]
    overlap = EventQuery(TimeRange(bench.monday.replace(year=2020, month=12), bench.monday.replace(year=2022)))
    assert [e.title for e in (await bench.store.namespace(bench.namespace).list_events(overlap, None, 9)).items] == ["past"]


async def test_entities_are_found_by_any_of_their_names(bench):
    await bench.say("a")
    await bench.extract()
    assert [e.name for e in (await bench.store.namespace(bench.namespace).list_entities(EntityQuery(name="ANA"), None, 9)).items] == ["Ana"]
    assert (await bench.store.namespace(bench.namespace).list_entities(EntityQuery(name="Ben"), None, 9)).items == ()


async def test_the_most_frequent_speaker_comes_first(bench):
    await bench.say(bench.draft("a", 0, "Ben"), bench.draft("b", 0, "Ana"), bench.draft("c", 0, "Ana"))
    assert (await bench.store.namespace(bench.namespace).query_scope(())).speakers == ("Ana", "Ben")


async def test_ids_that_are_none_are_not_there(bench):
    outcome = await bench.say("a")
    ids = [outcome.messages[0].id, bench.ids.mint("msg"), "msg_", "", "nonsense", outcome.job_id]
    assert list(await bench.store.namespace(bench.namespace).get_nodes(ids)) == ids[:1]
    with pytest.raises(NotFound):
        await bench.store.namespace(bench.namespace).get_node_edges(ids[1], 5)


async def test_edges_are_limited_in_each_direction(bench):
    await bench.say(*"abcdef")
    await bench.extract()
    ana = (await bench.store.namespace(bench.namespace).query_scope(["Ana"])).entities[0]
    shown = await bench.store.namespace(bench.namespace).get_node_edges(ana.id, 3)
    assert (len(shown.edges), shown.truncated) == (3, True)
    assert not (await bench.store.namespace(bench.namespace).get_node_edges(ana.id, 100)).truncated


async def test_a_walk_is_that_of_networkx(bench):
    await bench.say(*"abcdefgh")
    await bench.extract()
    await bench.say(*"ij", session="s2")
    graph = nx.Graph()
    nodes = {m.id for m in (await bench.store.namespace(bench.namespace).list_messages(MessageQuery(), None, 99)).items}
    for node in list(nodes):
        for edge in (await bench.store.namespace(bench.namespace).get_node_edges(node, 99)).edges:
            graph.add_edge(edge.source_id, edge.target_id)
    for node in list(graph):
        for edge in (await bench.store.namespace(bench.namespace).get_node_edges(node, 99)).edges:
            graph.add_edge(edge.source_id, edge.target_id)
    seed = next(iter(sorted(nodes)))
    for hops in (0, 1, 2, 3):
        walk = await bench.store.namespace(bench.namespace).neighbourhood([seed, "nonsense"], ALL, hops, 1_000, 1_000)
        assert dict(zip(walk.ids, walk.hops.tolist(), strict=True)) == nx.single_source_shortest_path_length(graph, seed, hops)
        assert not walk.truncated
        inside = graph.subgraph(walk.ids)
        pairs = {frozenset((walk.ids[s], walk.ids[t])) for s, t in zip(walk.edge_source, walk.edge_target, strict=True)}
        assert pairs == {frozenset(edge) for edge in inside.edges}
        assert all(walk.hops[p] == h - 1 for p, h in zip(walk.parent, walk.hops, strict=True) if p >= 0)
    assert walk.parent[0] == -1


async def test_a_walk_keeps_its_bounds(bench):
    await bench.say(*"abcdefgh")
    await bench.extract()
    ana = (await bench.store.namespace(bench.namespace).query_scope(["Ana"])).entities[0]
    capped = await bench.store.namespace(bench.namespace).neighbourhood([ana.id], [EdgeKind.MENTIONS], 1, 100, 3)
    assert (len(capped.ids), capped.truncated) == (4, True)
    small = await bench.store.namespace(bench.namespace).neighbourhood([ana.id], ALL, 3, 5, 100)
    assert (len(small.ids), small.truncated) == (5, True)
    assert capped.degree[0] == 16


async def test_a_walk_ends_at_what_was_not_known_yet(bench):
    """A late message takes with it what rests on it, the edge that it states, and the entity and session that nothing else names."""
    said = [bench.draft(text, minutes) for minutes, text in enumerate(["early", "both", "late"])]
    await bench.say(*said)
    (elsewhere,) = (await bench.say(bench.draft("elsewhere", 2), session="s2")).messages
    memory = bench.store.namespace(bench.namespace)
    generation = await memory.begin_generation(GenerationStart(bench.extractor))
    lease = await bench.flushed_lease("s1")
    work = await memory.pending(lease, 10)
    messages = work.messages
    ana, bo, cy = (bench.entity(name) for name in ("Ana", "Bo", "Cy"))
    early, late = bench.fact("early", [messages[0]], [ana, bo]), bench.fact("late", [messages[2]], [ana, cy])
    both = bench.fact("both", [messages[0], messages[2]], [ana])
    events = [bench.event(f.text, [f], [m], [ana]) for f, m in ((early, messages[0]), (late, messages[2]), (both, messages[1]))]
    edges = Edge(EdgeKind.RELATES, ana.id, bo.id, early.id), Edge(EdgeKind.RELATES, bo.id, ana.id, late.id)
    write = ExtractionWrite(generation, work.watermark, messages[-1].seq, (early, late, both), tuple(events), (ana, bo, cy), edges)
    await memory.commit_extraction(lease, write)

    known = {messages[0].id, messages[1].id, early.id, events[0].id, events[2].id, ana.id, bo.id}
    before = bench.monday + timedelta(minutes=2)
    session = next(e.target_id for e in (await memory.get_node_edges(messages[0].id, 9)).edges if e.kind is EdgeKind.IN_SESSION)
    walk = await memory.neighbourhood([messages[0].id], ALL, 9, 99, 99, before)
    assert set(walk.ids) == known | {session}
    assert walk.edge_kind.tolist().count(EdgeKind.RELATES) == 1
    everything = await memory.neighbourhood([messages[0].id], ALL, 9, 99, 99)
    assert set(everything.ids) == known | {session, messages[2].id, late.id, both.id, events[1].id, cy.id}
    assert everything.edge_kind.tolist().count(EdgeKind.RELATES) == 2
    seeds = [*everything.ids, elsewhere.id]
    assert await memory.known_before([*seeds, "nonsense"], before) == known | {session}
    assert await memory.known_before([], before) == frozenset()
    assert not (await memory.neighbourhood(seeds, ALL, 2, 99, 99, bench.monday)).ids


async def test_counts_are_those_of_the_graph(bench):
    await bench.say("a", "b")
    await bench.extract()
    await bench.say("c")
    described = await bench.store.namespace(bench.namespace).describe()
    assert described.nodes == {NodeKind.SESSION: 1, NodeKind.MESSAGE: 3, NodeKind.EVENT: 2, NodeKind.FACT: 2, NodeKind.ENTITY: 1}
    assert described.retired == {}
    assert described.edges[EdgeKind.NEXT] == 2
    assert (described.vectors, described.vectors_pending) == (4, 1)
    assert (described.first_sent_at, described.last_sent_at) == (bench.monday, bench.monday + timedelta(minutes=1))
    assert described.revision == (await bench.store.namespace(bench.namespace).settings()).revision
    assert described.bytes > 0
