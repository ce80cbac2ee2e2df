"""An API that wants a key and has none is told of at start, not by the first call that it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from structmem.v1 import inspection_service_pb2
from typer.testing import CliRunner

from service.app import build
from service.cli.app import app
from service.setting_warnings import setting_warnings

OPENAI = {"embedder": "openai", "embedder_model": "text-embedding-3-small", "embedder_dimension": 512}
COHERE = {"reranker": "rerank", "reranker_model": "rerank-v3.5", "reranker_url": "https://api.cohere.com/v2"}
LLM = {"extractor": "llm", "llm_model": "a-model"}
CONSOLIDATOR = {"consolidator": "llm", "llm_model": "a-model"}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "MY_KEY"):
        monkeypatch.delenv(name, raising=False)


LOCAL = "until there is, the local extractor works"


@pytest.mark.parametrize(
    ("changes", "setting", "consequence"),
    [
        (OPENAI, "embedder_api_key", "queries go on without vectors"),
        (COHERE, "reranker_api_key", "nothing is reranked"),
        (LLM, "llm_api_key", f"in OPENAI_API_KEY; {LOCAL}"),
        (
            LLM | {"llm_provider": "vllm", "llm_key_variable": "MY_KEY"},
            "llm_api_key",
            "nor in MY_KEY; until there is, the local extractor works",
        ),
        (CONSOLIDATOR, "llm_api_key", "in OPENAI_API_KEY; until there is, the local consolidator works"),
        (LLM | CONSOLIDATOR, "llm_api_key", "in OPENAI_API_KEY; until there is, the local extractor and the local consolidator work"),
    ],
)
def test_a_missing_key_is_named_with_what_it_costs(
    settings_for: Callable[..., Any], tmp_path: Path, changes: dict[str, Any], setting: str, consequence: str
) -> None:
    [told] = setting_warnings(settings_for(tmp_path, **changes))
    assert told.setting == setting
    assert told.message.endswith(consequence)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        OPENAI | {"embedder_api_key": "sk"},
        OPENAI | {"embedder_url": "http://localhost:11434/v1"},
        COHERE | {"reranker_api_key": "sk"},
        COHERE | {"reranker_url": "http://localhost:8000"},
        LLM | {"llm_api_key": "sk"},
        LLM | {"llm_provider": "ollama"},
        CONSOLIDATOR | {"llm_api_key": "sk"},
    ],
)
def test_where_no_key_is_missing_nothing_is_said(settings_for: Callable[..., Any], tmp_path: Path, changes: dict[str, Any]) -> None:
    assert setting_warnings(settings_for(tmp_path, **changes)) == ()


def test_openais_own_variable_will_do(settings_for: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    assert setting_warnings(settings_for(tmp_path, **OPENAI, **LLM)) == ()


def test_the_log_says_so_at_start(settings_for: Callable[..., Any], tmp_path: Path) -> None:
    with capture_logs() as lines:
        build(settings_for(tmp_path, **COHERE))
    assert [(line["log_level"], line["event"], line["what"].split(":")[0]) for line in lines] == [
        ("warning", "a setting needs attention", "reranker_api_key")
    ]


async def test_the_service_says_so(running: Callable[..., Any], tmp_path: Path) -> None:
    async with running(tmp_path, **OPENAI, **COHERE) as service:
        info = await service.inspection.GetServerInfo(inspection_service_pb2.GetServerInfoRequest())
    assert [told.setting for told in info.warnings] == ["embedder_api_key", "reranker_api_key"]


def test_doctor_and_info_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "structmem.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in COHERE.items()))
    run = CliRunner().invoke
    assert run(app, ["namespaces", "create", "alice", "--data-dir", "data"]).exit_code == 0
    for command in ("doctor", "info"):
        told = run(app, [command, "--data-dir", "data"])
        assert told.exit_code == 0
        assert "structmem: reranker_api_key: api.cohere.com wants a key" in told.stderr
        [warning] = json.loads(run(app, [command, "--data-dir", "data", "--json"]).stdout)["warnings"]
        assert f"{warning['setting']}: {warning['message']}" in told.stderr


def test_a_compressor_that_nobody_asks_is_told_of(settings_for: Callable[..., Any], tmp_path: Path) -> None:
    [told] = setting_warnings(settings_for(tmp_path, compressor="entropy"))
    assert str(told) == "compressor: only prompts are compressed, and the extractor local asks no model"
    assert setting_warnings(settings_for(tmp_path, compressor="entropy", llm_api_key="sk", **LLM)) == ()
