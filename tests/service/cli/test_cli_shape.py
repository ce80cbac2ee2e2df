"""The command line itself: its commands, its options, how it fails."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.cli.documents import print_list

COMMANDS = [
    "ask",
    "config",
    "consolidate",
    "context",
    "copy",
    "cypher",
    "delete",
    "demo",
    "doctor",
    "entities",
    "eval",
    "events",
    "explain-miss",
    "export",
    "facts",
    "import",
    "info",
    "ingest",
    "jobs",
    "messages",
    "namespaces",
    "profile",
    "revert",
    "search",
    "serve",
    "sessions",
    "show",
    "summaries",
    "summary",
    "traverse",
    "usage",
    "version",
]
# What starts a service or ends things has no document to print.
WITHOUT_JSON = {"serve", "demo", "entities", "jobs", "namespaces"}


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    for name in ("STRUCTMEM_TARGET", "STRUCTMEM_CONFIG", "STRUCTMEM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def test_help_names_every_command(runner: CliRunner) -> None:
    text = runner.invoke(app, ["--help"]).stdout
    assert all(f" {name} " in text for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in WITHOUT_JSON])
def test_every_command_has_json(runner: CliRunner, name: str) -> None:
    assert "--json" in runner.invoke(app, [name, "--help"]).stdout


@pytest.mark.parametrize(
    ("group", "options"),
    [("entities", ["-n", "--kind"]), ("jobs", ["--namespace", "-n", "--state", "--kind"]), ("namespaces", ["--prefix"])],
)
def test_a_group_that_lists_shows_the_options_of_its_list(runner: CliRunner, group: str, options: list[str]) -> None:
    text = runner.invoke(app, [group, "--help"]).stdout
    assert all(f"{option} " in text for option in [*options, "--limit", "--json", "--data-dir", "--target"])


def test_a_document_whose_items_fail_half_way_is_not_begun(capsys: pytest.CaptureFixture[str]) -> None:
    def items() -> Iterator[str]:
        yield "first"
        raise RuntimeError("the next page")

    with pytest.raises(RuntimeError):
        print_list("items", items())
    assert capsys.readouterr().out == ""
    print_list("items", ["first", "second"])
    assert json.loads(capsys.readouterr().out) == {"items": ["first", "second"]}
    print_list("items", [])
    assert json.loads(capsys.readouterr().out) == {"items": []}


def test_the_version_is_told_either_way(runner: CliRunner) -> None:
    told = runner.invoke(app, ["version"]).stdout
    assert told.startswith("structmem ")
    assert runner.invoke(app, ["--version"]).stdout == told


def test_usage_errors_have_exit_code_2(runner: CliRunner) -> None:
    for arguments in (
        ["search"],
        ["search", "q"],
        ["nonsense"],
        ["delete", "-n", "alice", "--target", "127.0.0.1:1"],
        ["serve", "--set", "workers"],
    ):
        assert runner.invoke(app, arguments).exit_code == 2, arguments


def test_a_bad_date_is_told_before_anything_else(runner: CliRunner, tmp_path: Path) -> None:
    done = runner.invoke(app, ["events", "-n", "alice", "--from", "soon", "--target", "127.0.0.1:1"])
    assert done.exit_code == 2
    assert '"soon" is not a date' in done.stderr


def test_the_target_has_one_name_everywhere(runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def shown() -> object:
        return json.loads(runner.invoke(app, ["config", "--json"]).stdout)["settings"]["target"]

    (tmp_path / "structmem.toml").write_text('target = "127.0.0.1:1"\n')
    assert shown() == {"value": "127.0.0.1:1", "source": "file structmem.toml"}
    monkeypatch.setenv("STRUCTMEM_TARGET", "127.0.0.1:2")
    assert shown() == {"value": "127.0.0.1:2", "source": "environment STRUCTMEM_TARGET"}
    assert "127.0.0.1:2" in runner.invoke(app, ["info"]).stderr
    assert "127.0.0.1:3" in runner.invoke(app, ["info", "--target", "127.0.0.1:3"]).stderr


def test_a_directory_that_is_named_goes_before_a_service_that_is_not(
    runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STRUCTMEM_TARGET", "127.0.0.1:1")
    monkeypatch.setenv("STRUCTMEM_EMBEDDER", "none")
    made = runner.invoke(app, ["namespaces", "create", "alice", "--data-dir", str(tmp_path / "data")])
    assert (made.exit_code, made.stderr) == (0, "")
    both = runner.invoke(app, ["info", "--data-dir", "data", "--target", "127.0.0.1:1"])
    assert both.exit_code == 2


def test_a_service_that_is_not_there(runner: CliRunner, unused_tcp_port: int) -> None:
    done = runner.invoke(app, ["info", "--target", f"127.0.0.1:{unused_tcp_port}"])
    assert done.exit_code == 1
    assert done.stderr == f"structmem: the service at 127.0.0.1:{unused_tcp_port} cannot be reached\n"


def test_a_file_that_is_not_there(runner: CliRunner) -> None:
    done = runner.invoke(app, ["ingest", "nothing.jsonl", "-n", "alice", "--target", "127.0.0.1:1"])
    assert done.exit_code == 1
    assert done.stderr == "structmem: nothing.jsonl: No such file or directory\n"


def test_a_bad_setting_names_its_source(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_WORKERS", "many")
    done = runner.invoke(app, ["config"])
    assert done.exit_code == 1
    assert "workers" in done.stderr
    assert "STRUCTMEM_WORKERS" in done.stderr


def test_config_shows_values_and_sources_and_masks_secrets(runner: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "structmem.toml").write_text("workers = 3\n")
    monkeypatch.setenv("STRUCTMEM_TOKEN", "a-very-secret-token")
    done = runner.invoke(app, ["config", "--json", "--data-dir", "here"])
    assert done.exit_code == 0
    settings = json.loads(done.stdout)["settings"]
    assert settings["workers"] == {"value": 3, "source": "file structmem.toml"}
    assert settings["data_dir"] == {"value": "here", "source": "flag"}
    assert settings["token"]["source"] == "environment STRUCTMEM_TOKEN"
    assert "a-very-secret-token" not in done.stdout + runner.invoke(app, ["config"]).stdout


def test_help_loads_neither_a_model_nor_grpc() -> None:
    heavy = "{'numpy', 'onnxruntime', 'grpc', 'pydantic', 'scipy', 'apsw'}"
    code = f"import sys; import service.cli.app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
