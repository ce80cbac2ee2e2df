"""Digests of a namespace: the same for the same content, another for any other."""

import random
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

import numpy as np
import pytest

from graph.model import (
    NO_EMBEDDING,
    Edge,
    EdgeKind,
    Entity,
    EntityKind,
    Event,
    ExtractionMode,
    Granularity,
    Message,
    Namespace,
    NodeKind,
    Participant,
    Role,
    Seed,
    Session,
    Statement,
    Summary,
    SummaryLevel,
    SummarySentence,
    TimeSpan,
)
from graph.store.digest import PARTS, RecordDigests
from graph.store.port import PassageVector, SessionProgress

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
NAMESPACE = Namespace("alice", "uid-1", NO_EMBEDDING, ExtractionMode.EVENT, NOON, "Europe/Lisbon", revision=7)
SPAN = TimeSpan(NOON, NOON + timedelta(days=1), Granularity.DAY, "on Monday")
RECORDS = (
    Session("ses_1", "spring", NOON, "Europe/Lisbon", 1, NOON, NOON, 1),
    Message("msg_1", "spring", 1, "Ana", Role.USER, "I moved", NOON, NOON, "c1", {"a": "1", "b": "2"}, "a van"),
    Entity("ent_1", "Ana", EntityKind.PERSON, NOON, ("Anna",), 2),
    Entity("ent_2", "Ana Silva", EntityKind.PERSON, NOON),
    Statement("fct_1", NodeKind.FACT, "spring", "Ana moved", "Ana", NOON, NOON, ("msg_1",), "evt_1", ("ent_1",), "move", "Ana", "", SPAN),
    Event("evt_1", "spring", "Ana moves", NOON, NOON, ("msg_1",), SPAN, ("fct_1",), (Participant("ent_1", "subject", "Ana"),), None, 1),
    Summary(
        "sum_1",
        SummaryLevel.WINDOW,
        "A move",
        (SummarySentence("Ana moved.", ("evt_1",)),),
        ("evt_1",),
        SPAN,
        NOON,
        NOON,
        NOON,
        NOON,
        "local/1",
        1,
        ("spring",),
        ("Ana",),
        (Seed("evt_0", 0.5),),
    ),
    Edge(EdgeKind.SAME_AS, "ent_1", "ent_2", "fct_1", {"confidence": "0.8", "reason": "first name"}),
    Edge(EdgeKind.SAME_AS, "ent_1", "ent_2", "", {"confidence": "1", "decided_at": "2024", "decided_by": "maria"}),
    SessionProgress("spring", 1, (1,)),
    PassageVector("msg_1", 0, np.array([0.5, -1], np.float16)),
)


def digest(records=RECORDS, namespace=NAMESPACE):
    digests = RecordDigests()
    digests.add(records)
    return digests.digest(namespace)


def another(value):
    """Some other value of the same kind."""
    match value:
        case Enum():
            return next(other for other in type(value) if other is not value)
        case str():
            return value + "!"
        case int() | float():
            return value + 1
        case datetime():
            return value + timedelta(microseconds=1)
        case tuple():
            return (*value, *(value or ("new",)))
        case dict():
            return value | {"new": "1"}
        case TimeSpan():
            return replace(value, expression="")
        case np.ndarray():
            return value * np.float16(0.5)
        case None:
            return NOON
    raise AssertionError(value)


def test_every_sort_of_record_has_its_part():
    assert {name: part.count for name, part in digest().parts.items()} == dict.fromkeys(PARTS, 1) | {"entities": 2}
    assert digest().records == len(RECORDS)


@pytest.mark.parametrize("seed", range(5))
def test_no_order_matters(seed):
    shuffled = list(RECORDS)
    random.Random(seed).shuffle(shuffled)
    labels = replace(RECORDS[1], labels={"b": "2", "a": "1"})
    assert digest([labels if record is RECORDS[1] else record for record in shuffled]) == digest()


@pytest.mark.parametrize("place", range(len(RECORDS)))
def test_every_field_matters(place):
    record = RECORDS[place]
    for field in fields(record):
        if isinstance(record, PassageVector) and field.name == "version":
            continue  # of the way to the store, and in no export
        changed = replace(record, **{field.name: another(getattr(record, field.name))})
        other = digest([*RECORDS[:place], changed, *RECORDS[place + 1 :]])
        assert other.digest != digest().digest, field.name


@pytest.mark.parametrize("place", range(len(RECORDS)))
def test_a_record_that_is_lost_or_doubled_is_found(place):
    lost, doubled = digest([*RECORDS[:place], *RECORDS[place + 1 :]]), digest([*RECORDS, RECORDS[place]])
    [part] = digest().differences(lost)
    assert digest().differences(doubled) == (part,)
    assert doubled.parts[part].digest != digest().parts[part].digest


def test_of_a_namespace_its_settings_matter_but_not_its_name_and_revision():
    assert digest(namespace=replace(NAMESPACE, name="bob", uid="uid-2", revision=9)).differences(digest()) == ()
    assert digest(namespace=replace(NAMESPACE, revision=9)).digest == digest().digest
    for field in fields(NAMESPACE):
        if field.name not in ("name", "uid", "revision", "embedding", "generation", "profile"):
            changed = replace(NAMESPACE, **{field.name: another(getattr(NAMESPACE, field.name))})
            assert digest(namespace=changed).differences(digest()) == ("settings",), field.name


def test_a_digest_is_the_same_in_every_release():
    # Somebody may have written one down. A field that the model gains changes it: CHANGELOG.md must say so then.
    assert digest().digest == "8525a337df99181f2d153191b845eecda551a58728a0a8111e3bc9674ddb075e"
