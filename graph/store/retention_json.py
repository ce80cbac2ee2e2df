"""A namespace's retention as plain data."""

from collections.abc import Sequence
from typing import Any

from graph.model import RetentionRule


def retention_json(rules: Sequence[RetentionRule]) -> list[list[object]]:
    """The rules as plain data."""
    return [[rule.keep_seconds, rule.session, rule.label, rule.label_value] for rule in rules]


def retention_from_json(data: Any) -> tuple[RetentionRule, ...]:
    """The rules of `retention_json`. Namespaces from before there was retention have none."""
    return tuple(RetentionRule(*values) for values in data or ())
