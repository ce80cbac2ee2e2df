"""The bodies of the two calls: what may stand in them, and how they are read."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from structmem.http.refusals import Refusal, Violation

# What the service takes (docs/cli.md): asked here, so that a request is refused before anything of it is stored.
_MOST_CHARACTERS = 1_000_000
_MOST_BYTES = 3_000_000
_MOST_MESSAGES = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Between the years 1 and 9998, in milliseconds.
_FIRST, _LAST = (int((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(milliseconds=1)) for year in (1, 9999))
_REASONS = {"missing": "is required", "extra_forbidden": "is no field of this call", "model_type": "must be an object"}
Body = TypeVar("Body", bound=BaseModel)


def _plain(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    return text


def _full(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be only white space")
    return _plain(text)


def _stored(text: str) -> str:
    if len(text) > _MOST_BYTES // 4 and len(text.encode()) > _MOST_BYTES:
        raise ValueError(f"must be at most {_MOST_BYTES:,} bytes in UTF-8")
    return _full(text)


Id = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_plain)]


class _Strict(BaseModel):
    """Values of another type, and fields that are not there, are refused and not taken for something."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GivenMessage(_Strict):
    """One message; `timestamp` in milliseconds since 1970, else when the service receives it."""

    role: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_full)]
    content: Annotated[str, Field(min_length=1, max_length=_MOST_CHARACTERS), AfterValidator(_stored)]
    timestamp: Annotated[int, Field(ge=_FIRST, lt=_LAST)] | None = None

    @property
    def sent_at(self) -> datetime | None:
        """When it was said, in UTC."""
        return None if self.timestamp is None else _EPOCH + timedelta(milliseconds=self.timestamp)


class AddRequest(_Strict):
    """The body of `POST /add`."""

    request_id: Id
    user_id: Id
    session_id: Id
    messages: Annotated[list[GivenMessage], Field(min_length=1, max_length=_MOST_MESSAGES)]


class SearchRequest(_Strict):
    """The body of `POST /search`. `options`, the answers that a question offers, are taken and do not change what is found."""

    query: Annotated[str, Field(min_length=1, max_length=100_000), AfterValidator(_full)]
    user_id: Id
    top_k: Annotated[int, Field(ge=1, le=1000)]
    options: list[str] | None = None


def read(kind: type[Body], body: bytes) -> Body:
    """Reads a body. Raises Refusal: 400 for what is no JSON, 422 for what is not what the call takes, with each field."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        raise Refusal(400, "INVALID_JSON", f"the body is not JSON: {found[0]['msg']}")
    violations = [Violation(_name(one["loc"]), _REASONS.get(one["type"]) or _reason(one["msg"])) for one in found]
    raise Refusal(422, "INVALID_ARGUMENT", "; ".join(f"{one.field}: {one.reason}" for one in violations[:3]), violations)


def _name(path: tuple[Any, ...]) -> str:
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return name.removeprefix(".") or "body"


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
