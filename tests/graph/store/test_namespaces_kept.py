"""Namespaces: created, listed, changed, deleted."""

from datetime import timedelta

import pytest

from graph.errors import AlreadyExists, NotFound
from graph.model import NO_EMBEDDING, ExtractionMode, RetentionRule
from graph.store.port import MessageQuery, NamespaceChange, NamespaceSpec


async def test_a_namespace_keeps_its_settings(bench):
    await bench.create("b", NO_EMBEDDING, ExtractionMode.OFF, time_zone="Europe/Lisbon", description="for tests")
    kept = await bench.store.namespace("b").settings()
    assert (kept.name, kept.embedding, kept.extraction_mode) == ("b", NO_EMBEDDING, ExtractionMode.OFF)
    assert (kept.time_zone, kept.description, kept.revision, kept.generation) == ("Europe/Lisbon", "for tests", 0, None)
    assert kept.created_at == bench.clock.now()
    assert kept.uid != (await bench.store.namespace(bench.namespace).settings()).uid


async def test_a_taken_name_is_refused(bench):
    with pytest.raises(AlreadyExists):
        await bench.create()


async def test_an_unknown_name_is_not_found(bench):
    with pytest.raises(NotFound):
        await bench.store.namespace("nobody").settings()
    with pytest.raises(NotFound):
        await bench.store.delete_namespace("nobody")
    with pytest.raises(NotFound):
        await bench.store.namespace("nobody").settings()


async def test_a_prefix_is_a_path_not_a_string(bench):
    for name in ("acme", "acme-2", "acme/support/x", "acmeology", "b"):
        await bench.create(name)
    listed = [found.name for found in await bench.store.list_namespaces("acme", "", 10)]
    assert listed == ["acme", "acme/ana", "acme/support/x"]
    assert [found.name for found in await bench.store.list_namespaces("", "acme/ana", 2)] == ["acme/support/x", "acmeology"]


async def test_a_listing_ends_early_only_where_nothing_more_is_shown(bench):
    for name in ("acme/b", "acme/c", "beta/a", "beta/b"):
        await bench.create(name)

    async def listed(limit: int, after: str = "", prefix: str = "") -> list[str]:
        found = await bench.store.list_namespaces(prefix, after, limit, lambda name: name.endswith(("/b", "/c")))
        return [namespace.name for namespace in found]

    assert await listed(2) == ["acme/b", "acme/c"]
    assert await listed(2, "acme/c") == ["beta/b"]
    assert await listed(9, "", "beta") == ["beta/b"]
    assert await bench.store.list_namespaces("", "", 9, lambda _: False) == []


async def test_settings_change_and_the_revision_steps(bench):
    before = (await bench.store.namespace(bench.namespace).settings()).revision
    changed = await bench.store.namespace(bench.namespace).update(NamespaceChange(time_zone="Asia/Tokyo"))
    assert (changed.time_zone, changed.extraction_mode) == ("Asia/Tokyo", ExtractionMode.EVENT)
    assert changed.revision == before + 1


async def test_a_deleted_namespace_is_gone_and_its_name_is_free(bench):
    await bench.say("secret")
    await bench.store.delete_namespace(bench.namespace)
    with pytest.raises(NotFound):
        await bench.texts()
    await bench.create()
    assert await bench.texts() == []


async def test_the_secret_lasts(bench, open_store):
    secret = await bench.store.secret()
    assert len(secret) == 32
    await bench.store.close()
    assert await (await open_store()).secret() == secret


async def test_retention_is_kept(bench):
    rules = (RetentionRule(86_400), RetentionRule(3_600, label="topic", label_value="work"), RetentionRule(60, session="scratch"))
    made = await bench.store.create_namespace(NamespaceSpec("acme/kept", bench.spec, ExtractionMode.EVENT, retention=rules))
    memory = bench.store.namespace("acme/kept")
    assert made.retention == (await memory.settings()).retention == rules
    assert (await memory.update(NamespaceChange(description="x"))).retention == rules
    assert (await memory.update(NamespaceChange(retention=()))).retention == ()
    assert (await memory.settings()).retention == ()


async def test_messages_are_found_by_when_they_were_stored(bench):
    await bench.say("first")
    bench.clock.advance(60)
    await bench.say("second")
    memory = bench.store.namespace(bench.namespace)
    for seconds, found in ((0, ["first"]), (1, ["first", "second"]), (-60, [])):
        query = MessageQuery(recorded_before=bench.clock.now() + timedelta(seconds=seconds))
        assert [message.text for message in (await memory.list_messages(query, None, 9)).items] == found
