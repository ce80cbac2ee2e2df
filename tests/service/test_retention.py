"""For how long messages are kept: set over the contract, and held by the sweeper."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from structmem.v1 import deletion_service_pb2, deletion_service_pb2_grpc, namespace_pb2
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import namespace_service_pb2 as npb

from service.retention import RetentionSweeper


def rule(seconds: int, **what: str) -> namespace_pb2.RetentionRule:
    return namespace_pb2.RetentionRule(keep=Duration(seconds=seconds), **what)


@pytest.fixture
async def kept(tmp_path: Path, running: Callable[..., Any]) -> Any:
    """A service with six messages in two sessions, two of them with a label."""
    async with running(tmp_path, extraction_mode="off") as service:
        for session in ("one", "two"):
            messages = [pb.MessageInput(speaker="Ana", text=f"{session} {i}", labels={"topic": "work"} if i == 1 else {}) for i in range(3)]
            await service.memory.AppendMessages(
                pb.AppendMessagesRequest(namespace="acme", session=session, messages=messages, create_namespace=True)
            )
        yield service


async def keep(service: Any, *rules: namespace_pb2.RetentionRule) -> namespace_pb2.Namespace:
    request = npb.UpdateNamespaceRequest(namespace="acme", retention=namespace_pb2.Retention(rules=rules))
    return (await service.namespaces.UpdateNamespace(request)).namespace


async def left_after(service: Any, later: timedelta) -> list[str]:
    """The messages that are left when the sweeper looks so much later."""
    application = service.application

    class Later:
        def now(self) -> Any:
            return application._clock.now() + later

    await RetentionSweeper(application.store, Later(), timedelta(minutes=1)).sweep()
    listed = await service.memory.ListMessages(pb.ListMessagesRequest(namespace="acme"))
    return sorted(message.text for message in listed.messages)


async def test_messages_go_when_they_are_past_their_time(kept: Any) -> None:
    shown = await keep(kept, rule(3600, label="topic", label_value="work"), rule(7200, session="one"), rule(86400))
    told = [(one.keep.seconds, one.session, one.label) for one in shown.retention.rules]
    assert told == [(3600, "", "topic"), (7200, "one", ""), (86400, "", "")]
    everything = ["one 0", "one 1", "one 2", "two 0", "two 1", "two 2"]
    assert await left_after(kept, timedelta(minutes=59)) == everything
    assert await left_after(kept, timedelta(minutes=61)) == ["one 0", "one 2", "two 0", "two 2"]
    assert await left_after(kept, timedelta(hours=3)) == ["two 0", "two 2"]
    assert await left_after(kept, timedelta(hours=25)) == []
    deletions = deletion_service_pb2_grpc.DeletionServiceStub(kept.channel)
    receipts = (await deletions.ListDeletions(deletion_service_pb2.ListDeletionsRequest(namespace="acme"))).receipts
    assert [receipt.deleted_by for receipt in receipts] == ["retention"] * 3


async def test_what_is_kept_for_good_stays(kept: Any) -> None:
    await keep(kept, rule(60))
    assert not (await keep(kept)).HasField("retention")
    assert len(await left_after(kept, timedelta(days=1000))) == 6


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (rule(59), "retention.rules[0].keep"),
        (rule(0), "retention.rules[0].keep"),
        (rule(100, session="s", label="l"), "retention.rules[0].label"),
        (rule(100, label_value="v"), "retention.rules[0].label_value"),
        (namespace_pb2.RetentionRule(keep=Duration(seconds=90, nanos=5)), "retention.rules[0].keep"),
    ],
)
async def test_rules_that_cannot_be_held_are_refused(kept: Any, refused: Any, given: namespace_pb2.RetentionRule, field: str) -> None:
    request = npb.UpdateNamespaceRequest(namespace="acme", retention=namespace_pb2.Retention(rules=[given]))
    assert field in (await refused(kept.namespaces.UpdateNamespace(request))).fields


async def test_too_many_rules_are_refused(kept: Any, refused: Any) -> None:
    many = npb.UpdateNamespaceRequest(namespace="acme", retention=namespace_pb2.Retention(rules=[rule(100)] * 33))
    assert "retention.rules" in (await refused(kept.namespaces.UpdateNamespace(many))).fields
