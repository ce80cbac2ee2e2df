"""One message of a chat file: checked, with the reason when it is refused."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator
from structmem import NewMessage


def _textual(value: Any) -> Any:
    # Exports of chats number their sessions and messages; a number is as good a name as a word.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_SHOWN_ID = 60
_TEXT_BYTES = 3_000_000
Name = Annotated[str, BeforeValidator(_textual)]


class MessageEntry(BaseModel):
    """A message as a chat file gives it. The limits are those of the service, so that nothing goes in when one line is wrong."""

    model_config = ConfigDict(extra="forbid", strict=True)

    speaker: Name = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=1_000_000)
    id: Name = Field("", max_length=200)
    role: Literal["user", "assistant", "system", "tool"] = "user"
    sent_at: str | None = None
    labels: dict[Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict, max_length=32
    )
    image_caption: str = Field("", max_length=20_000)

    @model_validator(mode="after")
    def _readable(self) -> "MessageEntry":
        size = len(self.text.encode()) + len(self.image_caption.encode())
        if size > _TEXT_BYTES:
            raise ValueError(f"text with image_caption must be at most {_TEXT_BYTES:,} bytes in UTF-8; they have {size:,}")
        return self

    @field_validator("text", "speaker", "image_caption")
    @classmethod
    def _storable(cls, value: str) -> str:
        if "\x00" in value:
            raise ValueError("must not hold NUL characters")
        return value

    @field_validator("text", "speaker")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be blank")
        return value

    @field_validator("sent_at")
    @classmethod
    def _a_time(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError('is not a time, such as "2024-03-05T18:30:00" or "2024-03-05T18:30:00+01:00"') from None
        if not 1 <= moment.year <= 9998:
            raise ValueError("must be between the years 1 and 9998")
        return value

    def message(self) -> NewMessage:
        """What to store."""
        return NewMessage(
            speaker=self.speaker,
            text=self.text,
            sent_at=_sent(self.sent_at),
            role=self.role,
            client_id=self.id,
            labels=self.labels,
            image_caption=self.image_caption,
        )


def _sent(text: str | None) -> datetime | str | None:
    """An instant where the time has an offset; else the local time as it stands."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.isoformat()


def with_id(place: str, entry: Any) -> str:
    """A place of the file, with the id of the message that stands there where it has one that can be shown."""
    given = entry.get("id") if isinstance(entry, dict) else None
    id_ = str(given) if isinstance(given, str | int) else ""
    return f"{place} (id {id_[:_SHOWN_ID]})" if id_ and id_.isprintable() else place


def reason_of(error: ValidationError) -> str:
    """What is wrong with an entry: each field and why."""
    return "; ".join(f"{'.'.join(map(str, found['loc'])) or 'entry'}: {_why(found)}" for found in error.errors())


def _why(found: Any) -> str:
    match found["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a known field"
        case "string_type":
            return "must be a text"
        case "string_too_long":
            return f"must be at most {found['ctx']['max_length']:,} characters; it has {len(found['input']):,}"
        case "string_too_short":
            return "must not be blank"
        case "string_unicode":
            return "must be valid Unicode; it holds a lone surrogate"
        case _:
            return str(found["msg"]).removeprefix("Value error, ").removesuffix(".")
