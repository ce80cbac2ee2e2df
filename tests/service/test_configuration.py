"""Settings: where they come from, what wins, what is refused, what is shown."""

from pathlib import Path

import pytest

from service.configuration import effective, load_settings
from service.errors import InvalidSettings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def problem(**flags: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as raised:
        load_settings(flags)
    return {violation.field: violation.reason for violation in raised.value.violations}


def test_flags_win_over_the_environment_over_the_file_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("structmem.toml").write_text('workers = 2\nidle_s = 7\nlog_level = "debug"\n')
    monkeypatch.setenv("STRUCTMEM_WORKERS", "3")
    monkeypatch.setenv("STRUCTMEM_IDLE_S", "8")
    settings = load_settings({"workers": 4, "log_format": None})
    assert (settings.workers, settings.idle_s, settings.log_level, settings.log_format) == (4, 8.0, "debug", "console")
    shown = effective(settings)
    assert shown["workers"].source == "flag"
    assert shown["idle_s"].source == "environment STRUCTMEM_IDLE_S"
    assert shown["log_level"].source == "file structmem.toml"
    assert shown["log_format"].source == "default"


def test_a_named_file_is_taken_and_its_paths_start_from_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "s.toml").write_text('data_dir = "memory"\n')
    assert load_settings({}, tmp_path / "etc" / "s.toml").data_dir == tmp_path / "etc" / "memory"


def test_the_data_directory_is_the_one_beside_the_project_or_the_users(tmp_path: Path) -> None:
    assert load_settings().data_dir == tmp_path / "data" / "structmem"
    Path(".structmem").mkdir()
    assert load_settings().data_dir == Path(".structmem")


def test_the_default_address_is_loopback_and_any_other_needs_tokens(tmp_path: Path) -> None:
    assert load_settings().listen == "127.0.0.1:7600"
    for address in ("0.0.0.0:7600", "[::]:7600", "memory.example.org:7600", "10.0.0.1:0"):
        assert "token_file" in problem(listen=address)["listen"]
    assert load_settings({"listen": "0.0.0.0:7600", "token_file": tmp_path / "tokens.toml"}).listen == "0.0.0.0:7600"
    for address in ("localhost:0", "[::1]:1", "127.8.0.1:2", "unix:/tmp/s"):
        assert load_settings({"listen": address}).listen == address


@pytest.mark.parametrize("address", ["7600", "host:", ":7600", "::1:7600", "host:65536", "host:-1", "host:٣"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    assert "listen" in problem(listen=address)


def test_a_wrong_value_is_named_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_WORKERS", "many")
    assert "environment STRUCTMEM_WORKERS" in problem()["workers"]


def test_an_unknown_key_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    Path("structmem.toml").write_text("wrokers = 2\n")
    assert problem() == {"wrokers": "is not a setting; did you mean workers? (file structmem.toml)"}
    Path("structmem.toml").write_text("workers = \n")
    assert "TOML" in problem()["config"]
    with pytest.raises(InvalidSettings, match="cannot be read"):
        load_settings({}, tmp_path / "none.toml")


def test_an_unknown_variable_or_flag_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_DATA_DRI", "/srv/memory")
    monkeypatch.setenv("STRUCTMEM_COLOUR", "blue")
    assert problem() == {
        "STRUCTMEM_DATA_DRI": "is not a setting; did you mean STRUCTMEM_DATA_DIR? (environment)",
        "STRUCTMEM_COLOUR": "is not a setting (environment)",
    }
    monkeypatch.delenv("STRUCTMEM_COLOUR")
    monkeypatch.setenv("STRUCTMEM_DATA_DRI", "")
    assert problem(wrokers=2) == {"wrokers": "is not a setting; did you mean workers? (flag)"}


def test_variables_that_are_no_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_DEBUG", "1")
    # What Kubernetes and Docker set beside a service that is called structmem.
    for name in ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_GRPC", "PORT", "PORT_7600_TCP", "PORT_7600_TCP_ADDR"):
        monkeypatch.setenv(f"STRUCTMEM_{name}", "10.0.0.1")
    assert load_settings().workers == 2


def test_settings_that_need_each_other_are_refused_alone(tmp_path: Path) -> None:
    assert "tls_cert" in problem(tls_key=tmp_path / "key.pem")
    assert "recorded_file" in problem(extractor="recorded")


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRUCTMEM_TOKEN", "very-secret-token")
    settings = load_settings()
    assert settings.token.get_secret_value() == "very-secret-token"
    assert effective(settings)["token"].value == "********"
    assert "very-secret" not in repr(settings) + str(effective(settings))
