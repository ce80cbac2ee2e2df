"""Retention of namespaces, both ways."""

from collections.abc import Sequence

from google.protobuf.duration_pb2 import Duration
from structmem.v1 import namespace_pb2 as pb

from graph.model import RetentionRule, retention_problems
from service.convert.messages import MAX_LABEL_KEY, MAX_LABEL_VALUE
from service.validate import Violations, text
from service.validate.fields import MAX_NAME


def retention_to_proto(rules: Sequence[RetentionRule]) -> pb.Retention | None:
    """The rules; None where there are none."""
    made = [
        pb.RetentionRule(keep=Duration(seconds=rule.keep_seconds), session=rule.session, label=rule.label, label_value=rule.label_value)
        for rule in rules
    ]
    return pb.Retention(rules=made) if made else None


def retention_from_proto(found: Violations, field: str, given: pb.Retention) -> tuple[RetentionRule, ...]:
    """The rules of a namespace."""
    rules: list[RetentionRule] = []
    for index, rule in enumerate(given.rules):
        at = f"{field}.rules[{index}]"
        if rule.keep.nanos:
            found.add(f"{at}.keep", "must be whole seconds")
        rules.append(
            RetentionRule(
                keep_seconds=rule.keep.seconds,
                session=text(found, f"{at}.session", rule.session, MAX_NAME, required=False),
                label=text(found, f"{at}.label", rule.label, MAX_LABEL_KEY, required=False),
                label_value=text(found, f"{at}.label_value", rule.label_value, MAX_LABEL_VALUE, required=False),
            )
        )
    for where, problem in retention_problems(rules):
        found.add(f"{field}.rules{where}", problem)
    return tuple(rules)
