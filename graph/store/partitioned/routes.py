"""Which store a namespace belongs to: the one with the longest prefix of whole segments of its name."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graph.store.port import Store


@dataclass(frozen=True, slots=True)
class Partition:
    """A store and the namespaces that it keeps.

    Attributes:
        name: tells operators which one it is, such as its address; callers never see it.
        prefixes: "acme" stands for the namespace `acme` and all below it; "" for all that no other partition names.
    """

    name: str
    store: Store
    prefixes: tuple[str, ...]


# A store that could not be asked is left out for so long: asking it may take seconds, in which others could have answered.
_REST_S = 5.0


class Absences:
    """Which partitions somebody could not ask lately."""

    def __init__(self) -> None:
        self._away_until: dict[str, float] = {}

    def note(self, partition: Partition) -> None:
        """The partition could not be asked."""
        self._away_until[partition.name] = time.monotonic() + _REST_S

    def without(self, partitions: Iterable[Partition]) -> list[Partition]:
        """Those of the partitions that could be asked as far as is known."""
        now = time.monotonic()
        return [partition for partition in partitions if self._away_until.get(partition.name, 0.0) <= now]


class Routes:
    """Partitions by prefix."""

    def __init__(self, partitions: Sequence[Partition]) -> None:
        """The first partition keeps what none names, whether or not it says so. Raises ValueError when two claim the same prefix."""
        self.partitions = tuple(partitions)
        self._by_prefix = {"": self.partitions[0]}
        for partition in self.partitions:
            for prefix in partition.prefixes:
                if self._by_prefix.setdefault(prefix, partition) is not partition:
                    raise ValueError(f"two partitions claim {prefix!r}")

    def owner(self, namespace: str) -> Partition:
        """The partition that a namespace belongs to, whether it is there or not."""
        prefix = namespace
        while prefix not in self._by_prefix:
            prefix = prefix.rpartition("/")[0]
        return self._by_prefix[prefix]

    def others(self, namespace: str) -> tuple[Partition, ...]:
        """Every partition but the owner."""
        owner = self.owner(namespace)
        return tuple(partition for partition in self.partitions if partition is not owner)

    def below(self, prefix: str) -> tuple[Partition, ...]:
        """The partitions that may keep namespaces at or below a path ("" for all)."""
        if not prefix:
            return self.partitions
        holding = {id(self.owner(prefix))}
        holding |= {id(partition) for known, partition in self._by_prefix.items() if known.startswith(f"{prefix}/")}
        return tuple(partition for partition in self.partitions if id(partition) in holding)
