"""Reading settings: flags before STRUCTMEM_* variables before the TOML file before defaults, and where each value came from."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from graph.errors import FieldViolation
from service.errors import InvalidSettings
from service.settings import Settings, platform_dir

MASK = "********"
# Settings that name a file or a directory.
_PATHS = (
    *("data_dir", "neo4j_password_file", "neo4j_ca_file", "namespace_map", "token_file", "tls_cert", "tls_key", "ready_file"),
    *("recorded_file", "llm_record", "llm_replay"),
)
_PREFIX = "STRUCTMEM_"
# Variables that are no settings: of the command line, and those that container platforms set for a service that is called structmem.
_OTHERS = ("config", "debug")
_OF_PLATFORMS = re.compile(r"STRUCTMEM_(SERVICE_(HOST|PORT)|PORT)(_.*)?")
# What the tests read (CONTRIBUTING.md): it stands in the environment of the services that they start.
_OF_TESTS = re.compile(r"STRUCTMEM_(TEST|REQUIRE)_NEO4J(_.*)?")


@dataclass(frozen=True, slots=True)
class Effective:
    """A setting as it is in force. `value` is plain data; secrets are masked. `source` says where it came from."""

    value: object
    source: str


def load_settings(flags: Mapping[str, Any] | None = None, config_file: Path | None = None) -> Settings:
    """The settings in force.

    Args:
        flags: what the command line gave; None values count as not given.
        config_file: the TOML file (`--config`); else STRUCTMEM_CONFIG, `./structmem.toml` or the platform's configuration directory.

    Raises:
        InvalidSettings: a value or a file is wrong, with its name and why.
    """
    path = config_file or _found_file()
    layers: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("default", {}),
        (f"file {path}", _read_file(path)),
        ("environment", _environment()),
        ("flag", {name: value for name, value in (flags or {}).items() if value is not None}),
    )
    values: dict[str, Any] = {}
    sources: dict[str, str] = dict.fromkeys(Settings.model_fields, "default")
    for source, layer in layers:
        values.update(layer)
        sources.update({name: f"environment {_PREFIX}{name.upper()}" if source == "environment" else source for name in layer})
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise InvalidSettings([_violation(found, sources) for found in error.errors()]) from None
    settings._sources.update(sources)
    return settings


def effective(settings: Settings) -> dict[str, Effective]:
    """Every setting by name, with its value in force (secrets masked) and its source."""
    return {name: Effective(_shown(getattr(settings, name)), settings._sources.get(name, "default")) for name in Settings.model_fields}


def _shown(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    return str(value) if isinstance(value, Path) else value


def _found_file() -> Path | None:
    named = os.environ.get("STRUCTMEM_CONFIG")
    if named:
        return Path(named)
    candidates = (Path("structmem.toml"), platform_dir("XDG_CONFIG_HOME", ".config") / "structmem" / "structmem.toml")
    return next((path for path in candidates if path.is_file()), None)


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidSettings.of("config", f"cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings.of("config", f"is not valid TOML ({error})") from None
    # A relative path in a file is meant from where the file is, not from where the service happens to start.
    for name in _PATHS:
        if isinstance(values.get(name), str):
            values[name] = path.parent / os.path.expanduser(values[name])
    return values


def _environment() -> dict[str, Any]:
    unknown = sorted(name for name, value in os.environ.items() if value and name.upper().startswith(_PREFIX) and not _known(name.upper()))
    if unknown:
        raise InvalidSettings([FieldViolation(name, f"{_no_setting(name, _PREFIX)} (environment)") for name in unknown])
    return EnvSettingsSource(Settings, env_prefix=_PREFIX, env_ignore_empty=True)()


def _known(variable: str) -> bool:
    name = variable.removeprefix(_PREFIX).lower()
    return name in Settings.model_fields or name in _OTHERS or any(known.fullmatch(variable) for known in (_OF_PLATFORMS, _OF_TESTS))


def _no_setting(name: str, prefix: str = "") -> str:
    """Why an unknown name is refused, with the nearest known one."""
    nearest = get_close_matches(name[len(prefix) :].lower(), Settings.model_fields, 1)
    if not nearest:
        return "is not a setting"
    return f"is not a setting; did you mean {prefix + nearest[0].upper() if prefix else nearest[0]}?"


def _violation(found: Any, sources: Mapping[str, str]) -> FieldViolation:
    message = str(found["msg"]).removeprefix("Value error, ")
    if not found["loc"]:
        name, separator, rest = message.partition(": ")
        return FieldViolation(name, rest) if separator else FieldViolation("settings", message)
    name = str(found["loc"][0])
    if found["type"] == "extra_forbidden":
        message = _no_setting(name)
    return FieldViolation(name, f"{message} ({sources.get(name, 'default')})")
