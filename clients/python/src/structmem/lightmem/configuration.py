"""Reads a configuration of LightMem: what is in it, what is wrong with it, and what of it the adapter cannot take over."""

import difflib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from structmem.lightmem.options import CONFIGURATION, OPTIONS, Fate, Option

_GROUPS = {name[:at] for option in CONFIGURATION for name in [option.name] for at, sign in enumerate(name) if sign == "."}


class LightMemConfigError(ValueError):
    """A configuration that LightMem would not take either, or that names what nobody knows. `problems`: each option and what is wrong."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in problems))
        self.problems = problems


class LightMemWarning(UserWarning):
    """Something of LightMem's that is asked for here and not done; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class Note:
    """What became of an option that was given. `is_open`: what it asks for is not done by the adapter."""

    option: Option
    is_open: bool

    def __str__(self) -> str:
        if self.option.fate is Fate.SERVICE:
            return f"{self.option.name}: a setting of the service: {self.option.here}"
        return f"{self.option.name}: {self.option.fate}: {self.option.here}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A configuration that was read: the values given, by the names of their options, and what became of each."""

    values: Mapping[str, Any]
    notes: tuple[Note, ...]


def read(config: Mapping[str, Any]) -> Reading:
    """Reads a configuration.

    Raises:
        LightMemConfigError: an option that is not LightMem's, or a value that it does not take; all of them are named.
    """
    problems: list[tuple[str, str]] = []
    if not isinstance(config, Mapping):
        raise LightMemConfigError((("config", f"must be a dictionary; it is a {type(config).__name__}"),))
    values = dict(_leaves(config, "", problems))
    for name, value in values.items():
        option = OPTIONS[name]
        if option.allowed and not is_among(value, option.allowed):
            problems.append((name, f"must be one of {_listed(option.allowed)}; it is {value!r}"))
    if problems:
        raise LightMemConfigError(tuple(problems))
    notes = (Note(option, _is_open(option, value)) for name, value in values.items() for option in [OPTIONS[name]])
    return Reading(values, tuple(notes))


def warn_of(reading: Reading, stacklevel: int) -> None:
    """One warning that names every option whose wish is not fulfilled, and why."""
    left = [str(note) for note in reading.notes if note.is_open]
    if left:
        lines = "".join(f"\n  {line}" for line in left)
        advice = "the settings are written down by service_settings(config) and by `python -m structmem.lightmem CONFIG.json`"
        text = f"of this configuration the adapter does not take over:{lines}\n{advice}"
        warnings.warn(text, LightMemWarning, stacklevel=stacklevel + 1)


def _leaves(config: Mapping[str, Any], prefix: str, problems: list[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        name = f"{prefix}{key}"
        if name in OPTIONS:
            if OPTIONS[name].is_free and value is not None and not isinstance(value, Mapping):
                problems.append((name, f"must be a dictionary; it is a {type(value).__name__}"))
            yield name, value
        elif name not in _GROUPS:
            problems.append((name, _unknown(name)))
        elif isinstance(value, Mapping):
            yield from _leaves(value, f"{name}.", problems)
        elif value is not None:
            problems.append((name, f"must be a dictionary; it is a {type(value).__name__}"))


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, [*(option.name for option in CONFIGURATION), *_GROUPS], 1, 0.8)
    return "is no option of LightMem's that is known here" + (f"; is {near[0]} meant?" if near else "")


def _is_open(option: Option, value: Any) -> bool:
    return option.fate is not Fate.APPLIED and not is_among(value, option.quiet)


def is_among(value: Any, values: tuple[Any, ...]) -> bool:
    """Whether it is one of them; 1 is not True."""
    return any(type(value) is type(one) and value == one for one in values)


def _listed(values: tuple[Any, ...]) -> str:
    return ", ".join(repr(value) for value in values)
