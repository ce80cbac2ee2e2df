"""Retention: for how long messages are kept, of a whole namespace, of a session, or with a label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_RULES = 32
SHORTEST_KEEP_SECONDS = 60
LONGEST_KEEP_SECONDS = 100 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Messages are deleted `keep_seconds` after they were stored: of a session, with a label, or all where neither is named.

    `label_value` "" is any value of the label. Where several rules are about a message, the shortest holds.
    """

    keep_seconds: int
    session: str = ""
    label: str = ""
    label_value: str = ""


def retention_problems(rules: Sequence[RetentionRule]) -> Iterator[tuple[str, str]]:
    """What is wrong with rules: a field and why, each."""
    if len(rules) > MAX_RULES:
        yield "", f"must hold at most {MAX_RULES} rules; it holds {len(rules)}"
        return
    for index, rule in enumerate(rules):
        if not SHORTEST_KEEP_SECONDS <= rule.keep_seconds <= LONGEST_KEEP_SECONDS:
            yield f"[{index}].keep", "must be from a minute to 100 years"
        if rule.session and rule.label:
            yield f"[{index}].label", "cannot be given beside a session"
        if rule.label_value and not rule.label:
            yield f"[{index}].label_value", "needs a label"
