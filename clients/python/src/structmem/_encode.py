"""From what callers give to messages of the contract. What cannot be written down at all is refused here, with the field and the reason."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from structmem._checks import named, numbers, one, several, texts_by_text
from structmem._errors import InvalidArgumentError
from structmem._inputs import AsOf, ConsistencyTokens, LabelCondition, LabelFilter, MemoryFilter, NewMessage, TimeRange
from structmem._kinds import NodeKind, Role
from structmem.v1 import filter_pb2, node_pb2, retrieval_pb2, time_pb2, vector_pb2
from structmem.v1 import memory_service_pb2 as mpb

E = TypeVar("E", bound=StrEnum)
EnumNames = Any  # a generated enum: a wrapper when it runs, a class to the type checker
M = TypeVar("M")

# Messages of an import that one transaction stores: large enough to be quick, small enough for progress to be seen.
BATCH_SIZE = 200
BATCH_BYTES = 1_000_000


def build(make: type[M], **fields: Any) -> M:
    """A message with these fields; those that are None stay unset. Text that is no valid Unicode, or a number out of range, is refused."""
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return make(**given)
    except (ValueError, TypeError):
        raise _refusal(make, given) from None


def _refusal(make: type[M], given: dict[str, Any]) -> InvalidArgumentError:
    for name, value in given.items():
        try:
            make(**{name: value})
        except (ValueError, TypeError) as problem:
            return InvalidArgumentError.of(name, _why(value, problem))
    return InvalidArgumentError.of("request", "has no valid value")


def _why(value: object, problem: Exception) -> str:
    if isinstance(problem, UnicodeError):
        return "must be valid Unicode; it holds a lone surrogate"
    if isinstance(problem, TypeError):
        return f"cannot be {named(value)}"
    return "is out of range" if isinstance(value, int) else "has no valid value"


def at_least_one(field: str, value: int | None) -> int | None:
    """A limit. On the wire 0 cannot be told from a limit that is left out, so it is refused here, and not taken for the default."""
    if isinstance(value, int) and value < 1:
        raise InvalidArgumentError.of(field, "must be positive; leave it out for the default")
    return value


def tokens(at_least: ConsistencyTokens) -> list[str]:
    """Consistency tokens; none for None or an empty text."""
    given = [at_least] if isinstance(at_least, str) else at_least or ()
    if not isinstance(given, Iterable) or not all(isinstance(token, str) for token in given):
        raise InvalidArgumentError.of("at_least", "must be a consistency token, or several")
    return [token for token in given if token]


def number_of(field: str, cls: type[E], names: EnumNames, value: E | str, taken: Iterable[E] = ()) -> int:
    """The contract's number of an enum's member, given as the member or as its text. `taken`: those that the field takes, if not all."""
    try:
        member = cls(value)
    except ValueError:
        known = ", ".join(f'"{m}"' for m in taken or cls if m != "unspecified")
        raise InvalidArgumentError.of(field, f'"{value}" is not one of {known}') from None
    number: int = names.Value(names.Name(0).removesuffix("UNSPECIFIED") + member.upper())
    return number


def timestamp(field: str, moment: datetime | None) -> Timestamp | None:
    """A Timestamp of an aware datetime."""
    if moment is None:
        return None
    if one(field, moment, datetime).tzinfo is None:
        raise InvalidArgumentError.of(field, "needs a time zone")
    stamp = Timestamp()
    try:
        stamp.FromDatetime(moment)
    except (ValueError, OverflowError):
        raise InvalidArgumentError.of(field, "must be between the years 1 and 9998") from None
    return stamp


def as_of(it: AsOf | datetime | None) -> retrieval_pb2.AsOf | None:
    """As of when; a moment alone is meant on both axes."""
    if it is None:
        return None
    both = AsOf(it, it) if isinstance(it, datetime) else one("as_of", it, AsOf)
    return build(retrieval_pb2.AsOf, valid=timestamp("as_of.valid", both.valid), known=timestamp("as_of.known", both.known))


def new_message(field: str, it: NewMessage) -> mpb.MessageInput:
    """A message to store. A naive datetime is a local time of the session."""
    one(field, it, NewMessage)
    local = it.sent_at.isoformat() if isinstance(it.sent_at, datetime) and it.sent_at.tzinfo is None else None
    instant = timestamp(f"{field}.sent_at", it.sent_at) if isinstance(it.sent_at, datetime) and local is None else None
    try:
        return build(
            mpb.MessageInput,
            client_id=it.client_id,
            speaker=it.speaker,
            role=number_of("role", Role, node_pb2.Role, it.role),
            text=it.text,
            sent_at=instant,
            sent_at_local=it.sent_at if isinstance(it.sent_at, str) else local,
            labels=texts_by_text("labels", it.labels),
            image_caption=it.image_caption,
            embedding=vector(it.embedding),
            edited_at=None if it.edited_at is None else timestamp("edited_at", it.edited_at),
        )
    except InvalidArgumentError as error:
        raise InvalidArgumentError.of(f"{field}.{error.violations[0].field}", error.violations[0].reason) from None


def turns(texts: Sequence[str]) -> list[retrieval_pb2.Turn]:
    """The last turns of a running session, by their texts."""
    try:
        return [build(retrieval_pb2.Turn, text=text) for text in several("turns", texts)]
    except InvalidArgumentError as error:
        raise InvalidArgumentError.of("turns", error.violations[0].reason) from None


def vector(values: Sequence[float]) -> vector_pb2.Vector | None:
    """A vector; None for none."""
    given = numbers("embedding", values)
    return build(vector_pb2.Vector, values=given) if given else None


def time_range(field: str, it: TimeRange | None) -> time_pb2.TimeRange | None:
    """A range of time."""
    if it is None:
        return None
    one(field, it, TimeRange)
    return time_pb2.TimeRange(start=timestamp(f"{field}.start", it.start), end=timestamp(f"{field}.end", it.end))


def node_kinds(field: str, kinds: Iterable[NodeKind | str], taken: Iterable[NodeKind]) -> list[int]:
    """Kinds of nodes, of those that the field takes."""
    return [number_of(field, NodeKind, node_pb2.NodeKind, kind, taken) for kind in several(field, kinds, "kinds")]


def label_filter(field: str, it: LabelFilter | None) -> filter_pb2.LabelFilter | None:
    """Conditions on labels."""
    if it is None:
        return None
    one(field, it, LabelFilter)

    def conditions(name: str, them: Sequence[LabelCondition]) -> list[filter_pb2.LabelCondition]:
        at = f"{field}.{name}"
        given = [one(f"{at}[{i}]", c, LabelCondition) for i, c in enumerate(several(at, them, "conditions"))]
        return [build(filter_pb2.LabelCondition, key=c.key, values=several(f"{at}[{i}].values", c.values)) for i, c in enumerate(given)]

    return filter_pb2.LabelFilter(
        all_of=conditions("all_of", it.all_of), any_of=conditions("any_of", it.any_of), none_of=conditions("none_of", it.none_of)
    )


def memory_filter(it: MemoryFilter | None) -> filter_pb2.MemoryFilter | None:
    """Which memories a read may return."""
    if it is None:
        return None
    one("filter", it, MemoryFilter)
    return build(
        filter_pb2.MemoryFilter,
        kinds=node_kinds("filter.kinds", it.kinds, (NodeKind.MESSAGE, NodeKind.FACT, NodeKind.RELATION)),
        sessions=several("filter.sessions", it.sessions),
        speakers=several("filter.speakers", it.speakers),
        said=time_range("filter.said", it.said),
        happened=time_range("filter.happened", it.happened),
        labels=label_filter("filter.labels", it.labels),
        not_sessions=several("filter.not_sessions", it.not_sessions),
        not_ids=several("filter.not_ids", it.not_ids),
    )


def _of_session(field: str, pair: tuple[str, NewMessage]) -> Sequence[Any]:
    """An element of an import."""
    if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
        raise InvalidArgumentError.of(field, "must be the name of a session with a NewMessage, as a tuple")
    return pair


def batches(messages: Iterable[tuple[str, NewMessage]], time_zone: str) -> Iterator[mpb.ImportMessagesBatch]:
    """Runs of messages of one session, each small enough for one element of a stream."""
    session, run, size = "", [], 0  # type: str, list[mpb.MessageInput], int
    for position, pair in enumerate(messages):
        name, given = _of_session(f"messages[{position}]", pair)
        message = new_message(f"messages[{position}]", given)
        full = len(run) == BATCH_SIZE or size + message.ByteSize() > BATCH_BYTES
        if run and (name != session or full):
            yield build(mpb.ImportMessagesBatch, session=session, time_zone=time_zone, messages=run)
            run, size = [], 0
        session = name
        size += message.ByteSize()
        run.append(message)
    if run:
        yield build(mpb.ImportMessagesBatch, session=session, time_zone=time_zone, messages=run)
