"""Every node in the database has the properties that `node_properties.py` says, of the types that it says, and no other."""

from datetime import datetime, timedelta
from typing import Any, get_args, get_origin, get_type_hints

import neo4j.time

from graph.model import JobError, Seed, SummaryLevel
from graph.store.neo4j import Neo4jStore
from graph.store.neo4j.rows.node_properties import PROPERTIES
from graph.store.neo4j.schema import NAMESPACED_LABELS
from graph.store.port import Deletion, ExtractedSpan, ExtractionWrite, JobAttemptFailed, UsageEntry
from tests.graph.store.conftest import DIMENSION, Bench, CountingIds, ManualClock, draft
from tests.graph.store.test_summaries import consolidation_lease, summary, write
from tests.neo4j_databases import Database


def fits(value: Any, type_: Any) -> bool:
    """Whether a value that the driver gives is of this annotation."""
    if get_origin(type_) is list:
        return isinstance(value, list) and all(fits(item, get_args(type_)[0]) for item in value)
    if type_ is datetime:
        return isinstance(value, neo4j.time.DateTime)
    return type(value) is type_


async def test_nodes_hold_what_is_written_down_of_them(neo4j: Database, clock: ManualClock, ids: CountingIds) -> None:
    store = Neo4jStore(neo4j.address, clock=clock, ids=ids)
    await store.open()
    bench = Bench(store, clock, ids)
    await bench.create()
    said = draft(
        "We met on 3 May 2023. " + "And then there was more of it, as ever. " * 80,
        client_id="c1",
        labels={"mood": "good"},
        image_caption="a boat",
    )
    await bench.say(said, "Always answer in French.", "so long", request_id="r1")
    extracted = await bench.extract()
    lease = await consolidation_lease(bench)
    work = await store.namespace(bench.namespace).consolidation_work(lease, 9)
    told = [summary(bench, SummaryLevel.WINDOW, [event.id], work, seeds=(Seed(extracted.events[0].id, 0.5),)) for event in extracted.events]
    await write(bench, lease, work, *told)
    memory = store.namespace(bench.namespace)
    await bench.say("and on")
    await memory.put_vectors(bench.spec.fingerprint, [], [UsageEntry("embedding", "m", 1, 2, 3, 4, 0)])
    failed = await bench.flushed_lease("s1")
    await memory.finish_job(failed, JobAttemptFailed(JobError("PROVIDER_UNAVAILABLE", "no"), None))
    await bench.say("somewhere else", session="s2", idle=timedelta(0))
    await bench.flushed_lease("s2")
    last = (await bench.say("to be deleted")).messages[0]
    await memory.delete(Deletion(memory_ids=(last.id,), request_id="d1"))
    gone, _ = (await bench.say("read", "together", session="s3")).messages
    together = await bench.flushed_lease("s3")
    generation = (await memory.pending(together, 9)).generation
    span = ExtractedSpan(1, 2, 1, "call_1")
    await memory.commit_extraction(together, ExtractionWrite(generation, 0, 2, span=span))
    await memory.delete(Deletion(memory_ids=(gone.id,)))

    seen = set()
    for row in neo4j.run("MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties"):
        [label] = set(row["labels"]) - {"Chunked"} or {""}
        if label in ("Store", "Migration"):
            continue
        seen.add(label)
        properties = row["properties"]
        if label != "Namespace":
            assert properties.pop("namespace") == bench.namespace
        vector = properties.pop(f"embedding_{DIMENSION}", None)
        assert (vector is None) == (label not in ("Message", "Fact", "Relation", "Passage") or "v16" not in properties)
        told = PROPERTIES[label]
        types = get_type_hints(told)
        assert properties.keys() <= types.keys(), label
        assert told.__required_keys__ <= properties.keys(), label
        assert {name for name, value in properties.items() if not fits(value, types[name])} == set(), label
    await store.close()
    assert PROPERTIES.keys() == {"Namespace", *NAMESPACED_LABELS}
    # Statistics are summed up after hundreds of revisions; a relation is a fact of another label.
    assert PROPERTIES.keys() - seen <= {"TermStatistics", "Relation"}
