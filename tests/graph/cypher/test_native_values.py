"""Values of a real Neo4j, both ways: what was read and is given back as a parameter is the same value to the server."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest

from graph.cypher import CypherDuration, CypherNode, CypherPoint, CypherTime
from graph.errors import CypherInvalid
from graph.store.neo4j.admin_cypher.runner import NativeCypher
from graph.store.neo4j.driver.connection import Connection
from tests.graph.cypher.conftest import LIMITS
from tests.neo4j_databases import Database

pytestmark = pytest.mark.neo4j
Ask = Callable[..., Any]
AN_HOUR = timezone(timedelta(hours=1))
# What the server makes of an expression, and how it reads here.
VALUES = {
    "date('2024-03-09')": date(2024, 3, 9),
    "date('0001-01-01')": date(1, 1, 1),
    "localtime('14:30:00.123456')": time(14, 30, 0, 123456),
    "localtime('14:30:00.123456789')": CypherTime("local_time", "14:30:00.123456789"),
    "time('14:30:00+01:00')": time(14, 30, tzinfo=AN_HOUR),
    "time('14:30:00Z')": time(14, 30, tzinfo=UTC),
    "time('14:30:00.000000001-05:30')": CypherTime("time", "14:30:00.000000001-05:30"),
    "localdatetime('2024-03-09T14:30:00.5')": datetime(2024, 3, 9, 14, 30, 0, 500_000),
    "localdatetime('9999-12-31T23:59:59.999999999')": CypherTime("local_datetime", "9999-12-31T23:59:59.999999999"),
    "datetime('2024-03-09T14:30:00Z')": datetime(2024, 3, 9, 14, 30, tzinfo=UTC),
    "datetime('2024-03-09T14:30:00.123456+01:00')": datetime(2024, 3, 9, 14, 30, 0, 123456, AN_HOUR),
    "datetime('2024-03-09T14:30:00.123456789-08:00')": CypherTime("datetime", "2024-03-09T14:30:00.123456789-08:00"),
    "datetime('2024-07-01T14:30:00[Europe/Lisbon]')": CypherTime("datetime", "2024-07-01T14:30:00+01:00", "Europe/Lisbon"),
    "datetime('2050-07-01T14:30:00[Europe/Lisbon]')": CypherTime("datetime", "2050-07-01T14:30:00+01:00", "Europe/Lisbon"),
    "datetime('2050-01-01T14:30:00.000000001[America/New_York]')": CypherTime(
        "datetime", "2050-01-01T14:30:00.000000001-05:00", "America/New_York"
    ),
    "datetime('2024-10-27T01:30:00+01:00[Europe/Lisbon]')": CypherTime("datetime", "2024-10-27T01:30:00+01:00", "Europe/Lisbon"),
    "datetime('2024-10-27T01:30:00+00:00[Europe/Lisbon]')": CypherTime("datetime", "2024-10-27T01:30:00+00:00", "Europe/Lisbon"),
    "datetime('1850-01-01T12:00:00[Europe/Lisbon]')": CypherTime("datetime", "1850-01-01T12:00:00-00:36:45", "Europe/Lisbon"),
    "duration('P14M3DT-4.5S')": CypherDuration(14, 3, -5, 500_000_000),
    "duration('PT0.000000001S')": CypherDuration(0, 0, 0, 1),
    "point({longitude: -9.1, latitude: 38.7})": CypherPoint(4326, (-9.1, 38.7)),
    "point({longitude: -9.1, latitude: 38.7, height: 2})": CypherPoint(4979, (-9.1, 38.7, 2.0)),
    "point({x: 1, y: 2})": CypherPoint(7203, (1.0, 2.0)),
    "point({x: 1, y: 2, z: 3})": CypherPoint(9157, (1.0, 2.0, 3.0)),
}


@pytest.fixture
async def native(neo4j: Database) -> AsyncIterator[NativeCypher]:
    connection = Connection(neo4j.address, timedelta(seconds=5))
    await connection.open()
    yield NativeCypher(connection, replace(LIMITS, timeout=60.0))
    await connection.close()


async def test_what_was_read_is_the_same_when_given_back(native: NativeCypher, neo4j: Database, asked: Ask) -> None:
    for number, expression in enumerate(VALUES):
        neo4j.run(f"CREATE (:Kept {{number: $number, value: {expression}}})", number=number)
    read = (await asked(native, "home", "MATCH (k:Kept) RETURN k.value ORDER BY k.number", timeout=60.0)).rows
    assert [value for [value] in read] == list(VALUES.values())
    query = """UNWIND range(0, size($values) - 1) AS i MATCH (k:Kept {number: i})
        RETURN k.value = $values[i], k.value IN [$map.values[i]], toString(k.value) = toString($values[i]) ORDER BY i"""
    values = [value for [value] in read]
    same = (await asked(native, "home", query, timeout=60.0, values=values, map={"values": values})).rows
    assert dict(zip(VALUES, same, strict=True)) == {expression: [True, True, True] for expression in VALUES}


async def test_times_are_told_as_the_server_tells_them(native: NativeCypher, asked: Ask) -> None:
    zoned = [expression for expression, value in VALUES.items() if isinstance(value, CypherTime) and value.zone]
    query = " UNION ALL ".join(f"RETURN {expression} AS at, toString({expression}) AS text" for expression in zoned)
    for at, text in (await asked(native, "home", query, timeout=60.0)).rows:
        assert (
            await asked(
                native, "home", "RETURN datetime($theirs) = datetime($ours)", timeout=60.0, theirs=text, ours=f"{at.text}[{at.zone}]"
            )
        ).rows == [[True]]


@pytest.mark.parametrize(
    "expression",
    [
        "date('+12024-01-01')",
        "date('-0044-03-15')",
        "date('0000-12-31')",
        "localdatetime('0000-12-31T12:00')",
        "datetime('+12024-01-01T00:00Z')",
        "[1, date('+12024-01-01')]",
        "{at: date('+12024-01-01')}",
    ],
)
async def test_a_date_that_the_driver_cannot_read_is_named_and_no_outage(native: NativeCypher, asked: Ask, expression: str) -> None:
    with pytest.raises(CypherInvalid, match=r"the column 'at' holds .* a date outside of the years 1 to 9999; return its toString"):
        await asked(native, "home", f"RETURN 1 AS one, {expression} AS at", timeout=60.0)


async def test_a_node_with_such_a_date_is_read_property_by_property(native: NativeCypher, neo4j: Database, asked: Ask) -> None:
    neo4j.run("CREATE (:Kept {id: 'k', until: date('+12024-01-01')})")
    with pytest.raises(CypherInvalid, match="the column 'k' holds"):
        await asked(native, "home", "MATCH (k:Kept) RETURN k", timeout=60.0)
    answer = await asked(native, "home", "MATCH (k:Kept) RETURN toString(k.until), k {.id}", timeout=60.0)
    assert answer.rows == [["+12024-01-01", {"id": "k"}]]
    assert not isinstance(answer.rows[0][1], CypherNode)
