"""Where a budget has room to spare, the messages that a statement rests on are told instead of it: a statement says less than they do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from graph.model import Message, Statement
from graph.retrieval.answer import Hit
from graph.retrieval.context.context_line import line_of
from graph.retrieval.context.line import Line

# A message, by its namespace and id.
MessageKey = tuple[str, str]


def held_back(hits: Sequence[Hit]) -> tuple[list[Hit], dict[MessageKey, Hit]]:
    """The hits without the messages that a better statement stands for, and those messages."""
    stated: set[MessageKey] = set()
    first: list[Hit] = []
    held: dict[MessageKey, Hit] = {}
    for hit in hits:
        if isinstance(hit.node, Message) and (hit.namespace, hit.node.id) in stated:
            held[hit.namespace, hit.node.id] = hit
            continue
        if isinstance(hit.node, Statement):
            stated |= _evidence(hit)
        first.append(hit)
    return first, held


def with_whole_messages(
    lines: Sequence[Line], held: Mapping[MessageKey, Hit], room: int, most_lines: int, most_replaced: int, size: Callable[[str], int]
) -> tuple[list[Line], int]:
    """The lines with messages in the place of statements, best first, as far as there is room; and how many statements gave way.

    A statement gives way to all the messages it rests on, each whole, or to none.

    Args:
        lines: by rank.     held: the messages that may be told.
        room: tokens that are left beside the lines.     size: the tokens of a line.
    """
    told = {key for line in lines if line.text == line_of(line.hit.node, line.zone) for key in _evidence(line.hit) if _is_message(line)}
    result: list[Line] = []
    count, replaced = len(lines), 0
    for line in lines:
        wanted = [key for key in sorted(_evidence(line.hit)) if key not in told]
        if not wanted or _is_message(line) or replaced == most_replaced or not all(key in held for key in wanted):
            result.append(line)
            continue
        whole = [Line(held[key], line_of(held[key].node, line.zone), line.zone) for key in wanted]
        cost = sum(size(f"{one.text}\n") for one in whole) - size(f"{line.text}\n")
        if cost > room or count + len(whole) - 1 > most_lines:
            result.append(line)
            continue
        # The first takes the statement's rank: so good is what it tells.
        result += [replace(whole[0], hit=replace(whole[0].hit, rank=line.hit.rank)), *whole[1:]]
        told.update(wanted)
        room, count, replaced = room - cost, count + len(whole) - 1, replaced + 1
    return [line for line in result if _is_message(line) or not (_evidence(line.hit) and _evidence(line.hit) <= told)], replaced


def _is_message(line: Line) -> bool:
    return isinstance(line.hit.node, Message)


def _evidence(hit: Hit) -> set[MessageKey]:
    return {(hit.namespace, id_) for id_ in hit.evidence_ids}
