"""What becomes of stored passages when another version of the analyser made them: its terms are not those that queries are made of."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from graph.errors import Conflict
from graph.store.memory_rows import PassageRow
from graph.store.port import Finding
from graph.text import ANALYSER_VERSION


class Recut(NamedTuple):
    """The passages of a memory whose text is cut anew.

    Attributes:
        kept: those whose text is that of the passage of this ordinal; a vector of it stays.
        made: those of another text, whose vectors are yet to be made.
        gone: ordinals of old passages that are not kept.
    """

    kept: list[PassageRow]
    made: list[PassageRow]
    gone: list[int]


def recut(old: Mapping[int, bytes], passages: Sequence[PassageRow]) -> Recut:
    """What becomes of the old passages, digests by ordinal, when the analyser now makes these."""
    kept = [passage for passage in passages if old.get(passage.ordinal) == passage.digest]
    made = [passage for passage in passages if old.get(passage.ordinal) != passage.digest]
    return Recut(kept, made, sorted(old.keys() - {passage.ordinal for passage in kept}))


def other_analyser(version: int) -> Finding | None:
    """What a check says of a namespace whose passages this version made."""
    if version == ANALYSER_VERSION:
        return None
    return Finding("OTHER_ANALYSER", "", f"the passages were made by version {version} of the analyser, not {ANALYSER_VERSION}")


def refuse_newer_analyser(version: int) -> None:
    """Refuses what a newer version of the analyser has made. Raises Conflict."""
    if version > ANALYSER_VERSION:
        raise Conflict(
            f"the texts were analysed by a newer version of StructMem (analysis {version}, this one knows {ANALYSER_VERSION}); use that one"
        )
