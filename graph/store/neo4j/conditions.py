"""Conditions of WHERE clauses with their parameters: what listings and searches filter by."""

from collections.abc import Sequence
from typing import Any

from graph.model import LabelFilter, TimeRange, to_micros
from graph.model.filters import LabelCondition


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
            self.add(self.labels_term(message, labels))

    def labels_term(self, message: str, labels: LabelFilter) -> str:
        """Whether the labels of the message pass, as a term."""
        terms = [self._any_label(message, [condition]) for condition in labels.all_of]
        if labels.any_of:
            terms.append(self._any_label(message, labels.any_of))
        if labels.none_of:
            terms.append(f"NOT {self._any_label(message, labels.none_of)}")
        return " AND ".join(terms)

    def _any_label(self, message: str, conditions: Sequence[LabelCondition]) -> str:
        terms = [self._label(message, condition) for condition in conditions]
        return f"({' OR '.join(terms)})"

    def _label(self, message: str, condition: LabelCondition) -> str:
        names, values = f"coalesce({message}.label_names, [])", f"{message}.label_values"
        name = self.value(condition.key)
        if not condition.values:
            return f"{name} IN {names}"
        allowed = self.value(list(condition.values))
        return f"any(i IN range(0, size({names}) - 1) WHERE {names}[i] = {name} AND {values}[i] IN {allowed})"

    def __bool__(self) -> bool:
        return bool(self._terms)

    def __str__(self) -> str:
        return " AND ".join(self._terms) or "true"
