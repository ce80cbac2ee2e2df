"""The integrity check finds what is wrong, each kind of wrong."""

import pytest

BREAKAGES = {
    "DANGLING_EDGE": "INSERT INTO edges VALUES (2, 6, 0, 999, 0, NULL)",
    "DANGLING_EVIDENCE": "INSERT INTO edges SELECT key, 3, 9, 999, 0, NULL FROM nodes WHERE kind = 4",
    "WITHOUT_EVIDENCE": "DELETE FROM edges WHERE kind = 3 AND src IN (SELECT key FROM nodes WHERE kind = 3)",
    "ORPHAN": "INSERT INTO vectors VALUES (999, x'0000', x'00')",
    "VECTOR_OF_OTHER_TEXT": "UPDATE vectors SET digest = x'00' WHERE passage = 1",
    "PASSAGES_OUT_OF_STEP": "UPDATE nodes SET body = replace(body, 'one', 'two') WHERE kind = 2",
    "BROKEN_CHAIN": "DELETE FROM edges WHERE kind = 2",
    "WATERMARK_BEYOND": "UPDATE sessions SET extracted_seq = 7",
    "MISCOUNTED": "UPDATE sessions SET message_count = 7",
    "MIXED_GENERATIONS": "UPDATE nodes SET generation = 7 WHERE kind = 4",
    "OTHER_ANALYSER": "UPDATE state SET analyser = 0",
    "INDEX_OUT_OF_STEP": "DELETE FROM changes WHERE revision = (SELECT max(revision) FROM state)",
}


@pytest.mark.parametrize("problem", BREAKAGES)
async def test_it_is_found(bench, problem):
    await bench.say("one", "other")
    await bench.extract()
    assert await bench.store.namespace(bench.namespace).check() == []
    await bench.say("last")
    await bench.store.namespace(bench.namespace).write(lambda tx: tx.db.execute(BREAKAGES[problem]))
    findings = await bench.store.namespace(bench.namespace).check()
    assert problem in {finding.problem for finding in findings}
    for finding in findings:
        assert finding.detail
        assert finding.node_id == "" or finding.node_id.partition("_")[0] in {"ses", "msg", "evt", "fct", "ent"}


async def test_another_vector_than_the_texts_is_not_mistaken(bench):
    """A vector with the right digest passes: the check is about text and vector, not about what the model makes of them."""
    await bench.say("one")
    await bench.embed()
    assert await bench.store.namespace(bench.namespace).check() == []
