from dataclasses import fields
from datetime import UTC, datetime
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model import Entity, Event, Message, Session, Statement, to_micros
from graph.store.rules.node_records import node_of

TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
# What a record does not hold, as stores keep it as edges, or in parts.
ELSEWHERE = {"evidence_ids", "statement_ids", "participants", "event_id", "entity_ids", "time", "labels"}


def plain(value, by_name):
    match value:
        case datetime():
            return to_micros(value)
        case IntEnum():
            return value.name if by_name else int(value)
        case tuple():
            return list(value)
        case "":
            return None
        case _:
            return value


@pytest.mark.parametrize("cls", [Session, Message, Event, Statement, Entity])
@given(data=st.data(), by_name=st.booleans())
def test_a_record_holds_what_the_node_held(cls, data, by_name):
    node = data.draw(st.builds(cls, **{name: TIMES for name in ("recorded_at", "sent_at", "said_at") if hasattr(cls, name)}))
    values = {field.name: getattr(node, field.name) for field in fields(cls)}
    record = {name: plain(value, by_name) for name, value in values.items() if name not in ELSEWHERE}
    told = {name: value for name, value in values.items() if name in ELSEWHERE}
    assert node_of(cls, record | {"other": 1}, **told) == node
