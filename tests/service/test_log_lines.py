"""What the service writes to standard error: one form for all, whoever says it."""

import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog
from structmem.v1 import memory_service_pb2 as pb

from graph.errors import StoreUnavailable
from service.logs import configure_logs

APPEND = pb.AppendMessagesRequest(
    namespace="acme", session="s", messages=[pb.MessageInput(speaker="Ana", text="A secret garden.")], create_namespace=True
)


def parsed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines since the last look; the test fails where one is not JSON."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_every_line_is_json_whoever_says_it(tmp_path: Path, settings_for: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(settings_for(tmp_path, log_format="json", log_level="info"))
    structlog.get_logger("service").info("ours", namespace="acme")
    logging.getLogger("a.library").warning("of %s\nin two lines", "a library")
    logging.getLogger("a.library").info("for its authors")
    try:
        raise KeyError("x")
    except KeyError:
        logging.getLogger("extract.pipeline").exception("failed", extra={"namespace": "acme", "reason": "EXTRACTION_FAILED"})
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    ours, library, failed, warned = parsed(capsys)
    assert (ours["event"], ours["namespace"]) == ("ours", "acme")
    assert (library["event"], library["logger"], library["level"]) == ("of a library\nin two lines", "a.library", "warning")
    assert (failed["namespace"], failed["reason"]) == ("acme", "EXTRACTION_FAILED")
    assert "KeyError: 'x'" in failed["exception"]
    assert "DeprecationWarning: old" in warned["event"]
    assert all("timestamp" in line for line in (ours, library, failed, warned))


def test_setting_up_twice_says_nothing_twice(tmp_path: Path, settings_for: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(settings_for(tmp_path, log_format="json", log_level="info"))
    configure_logs(settings_for(tmp_path, log_format="json", log_level="info"))
    logging.getLogger("a.library").warning("once")
    assert [line["event"] for line in parsed(capsys)] == ["once"]


def test_lines_for_people_hold_the_same(tmp_path: Path, settings_for: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(settings_for(tmp_path, log_format="console", log_level="warning"))
    logging.getLogger("extract.worker").warning("a job was left", extra={"namespace": "acme"})
    told = capsys.readouterr().err
    assert "a job was left" in told
    assert "namespace=acme" in told


async def test_a_job_that_fails_is_told_with_its_namespace_and_reason(
    tmp_path: Path,
    running: Callable[..., Any],
    eventually: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told: list[dict[str, Any]] = []

    async def failing(*args: Any, **kwargs: Any) -> Any:
        raise StoreUnavailable("the disk does not answer", metadata={"namespace": "acme"})

    async def all_told() -> bool:
        told.extend(parsed(capsys))
        return {"an attempt at a job failed", "no job could be leased"} <= {line["event"] for line in told}

    async with running(tmp_path, log_format="json", log_level="info", embedder="none") as service:
        monkeypatch.setattr(type(service.application.store.namespace("acme")), "pending", failing)
        await service.memory.AppendMessages(APPEND)
        await service.memory.FlushSession(pb.FlushSessionRequest(namespace="acme"))
        monkeypatch.setattr(service.application.store, "wait_for_work", failing)
        await eventually(all_told)
    attempt = next(line for line in told if line["event"] == "an attempt at a job failed")
    assert (attempt["namespace"], attempt["reason"], attempt["logger"]) == ("acme", "STORE_UNAVAILABLE", "extract.leased_work")
    assert attempt["job"].startswith("job_")
    assert next(line for line in told if line["event"] == "no job could be leased")["namespace"] == "acme"
    assert not any("secret garden" in json.dumps(line) for line in told)
