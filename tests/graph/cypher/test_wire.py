"""Values and messages between the service and the engine: what goes in comes out, and what a killed writer began is dropped."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graph.cypher import CypherDuration, CypherElided, CypherNode, CypherPath, CypherPoint, CypherRelationship, CypherTime
from graph.cypher.wire import Unpacking, decoded, encoded, packets

offsets = st.integers(-17 * 60, 17 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=offsets),
    st.builds(CypherDuration, *[st.integers(-(10**9), 10**9)] * 3, st.integers(0, 10**9 - 1)),
    st.builds(CypherTime, st.just("datetime"), st.text(), st.text()),
    st.builds(CypherElided, st.sampled_from(["vector", "bytes"]), st.integers(0, 10**6)),
    st.builds(CypherPoint, st.just(4326), st.tuples(st.floats(-180, 180), st.floats(-90, 90))),
)
properties = st.dictionaries(st.text(), scalars, max_size=4)
nodes = st.builds(CypherNode, st.text(), st.lists(st.text(), max_size=2).map(tuple), properties)
relationships = st.builds(CypherRelationship, st.text(), st.text(), st.text(), st.text(), properties)
paths = st.builds(CypherPath, st.lists(nodes, max_size=3).map(tuple), st.lists(relationships, max_size=2).map(tuple))
values = st.recursive(
    scalars | nodes | relationships | paths, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def through(parts: list[bytes], unpacking: Unpacking) -> list[Any]:
    found = [unpacking.add(part[: Unpacking.head], part[Unpacking.head :]) for part in parts]
    assert all(Unpacking.size(part[: Unpacking.head]) == len(part) - Unpacking.head for part in parts)
    return [message for message in found if message is not None]


@given(values)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    [[message]] = through(packets([encoded(value)]), Unpacking())
    assert decoded(message) == value


def test_types_that_equal_each_other_stay_apart() -> None:
    times = [date(2024, 1, 1), datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), time(1), time(1, tzinfo=UTC), 1, 1.0, True]
    assert [type(decoded(encoded(value))) for value in times] == [type(value) for value in times]
    assert str(decoded(encoded(float("nan")))) == "nan"
    assert decoded(encoded(float("-inf"))) == float("-inf")


def test_packets_fit_what_a_pipe_takes_whole() -> None:
    parts = packets(["x" * 100_000])
    assert max(map(len, parts)) <= 4_096
    assert through(parts, Unpacking()) == [["x" * 100_000]]


@given(st.integers(1, 20))
def test_what_a_killed_writer_began_is_dropped(sent: int) -> None:
    begun = packets(["x" * 100_000])[:sent]
    assert through([*begun, *packets(["end"])], Unpacking()) == [["end"]]
