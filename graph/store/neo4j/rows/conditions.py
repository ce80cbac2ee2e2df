"""Conditions of WHERE clauses with their parameters: what listings and searches filter by."""

from collections.abc import Sequence
from typing import Any

from graph.model import LabelFilter, TimeRange, to_micros


class Conditions:
    """Conditions that must all hold, and the values of their parameters. What callers give goes into parameters alone."""

    def __init__(self, *fixed: str, prefix: str = "p") -> None:
        """`prefix` starts the names of the parameters, so that two sets of conditions can stand in one query."""
        self._terms = list(fixed)
        self._prefix = prefix
        self.parameters: dict[str, Any] = {}

    def value(self, value: Any) -> str:
        """The value as a new parameter."""
        name = f"{self._prefix}{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def add(self, term: str) -> None:
        """One more condition."""
        self._terms.append(term)

    def one_of(self, column: str, values: Sequence[Any]) -> None:
        """The column has one of these values."""
        self.add(f"{column} IN {self.value(list(values))}")

    def within(self, column: str, range_: TimeRange | None) -> None:
        """The column lies in the range, if there is one."""
        if range_ is not None:
            self.add(f"{column} >= {self.value(to_micros(range_.start))} AND {column} < {self.value(to_micros(range_.end))}")

    def labelled(self, message: str, labels: LabelFilter) -> None:
        """The labels of the message pass."""
        if labels:
            self.add(labels_pass(message, self.value(label_values(labels))))

    def __bool__(self) -> bool:
        return bool(self._terms)

    def __str__(self) -> str:
        return " AND ".join(self._terms) or "true"


def labels_pass(message: str, wanted: str) -> str:
    """Whether the labels of a message pass, as a term. `wanted` is the expression of a `label_values` map: the text is the same for all
    filters, so that it is planned once."""

    def has(condition: str) -> str:
        names = f"coalesce({message}.label_names, [])"
        value = f"(size({condition}[1]) = 0 OR {message}.label_values[i] IN {condition}[1])"
        return f"any(i IN range(0, size({names}) - 1) WHERE {names}[i] = {condition}[0] AND {value})"

    return f"""all(c IN {wanted}.all_of WHERE {has("c")}) AND none(c IN {wanted}.none_of WHERE {has("c")})
        AND (size({wanted}.any_of) = 0 OR any(c IN {wanted}.any_of WHERE {has("c")}))"""


def label_values(labels: LabelFilter) -> dict[str, Any]:
    """The parameter that `labels_pass` judges by: of each condition its key and values."""
    parts = {"all_of": labels.all_of, "any_of": labels.any_of, "none_of": labels.none_of}
    return {name: [[condition.key, list(condition.values)] for condition in conditions] for name, conditions in parts.items()}
