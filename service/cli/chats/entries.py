"""One message of a chat file: checked, with the reason when it is refused."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from structmem import NewMessage


def _textual(value: Any) -> Any:
    # Exports of chats number their sessions and messages; a number is as good a name as a word.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold NUL characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode; it holds a lone surrogate") from None
    return value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return _storable(value)


_SHOWN_ID = 60
_TEXT_BYTES = 3_000_000
OUT_OF_RANGE = "must be between the years 1 and 9998"
Name = Annotated[str, BeforeValidator(_textual)]
# Of a speaker or a session. The length stands before the number that may become a text, so that it is judged as that of a text.
GivenName = Annotated[str, Field(max_length=200), BeforeValidator(_textual), AfterValidator(_not_blank)]


class MessageEntry(BaseModel):
    """A message as a chat file gives it. The limits are those of the service, so that nothing goes in when one line is wrong."""

    model_config = ConfigDict(extra="forbid", strict=True)

    speaker: GivenName
    text: Annotated[str, Field(max_length=1_000_000), AfterValidator(_not_blank)]
    id: Annotated[str, Field(max_length=200), BeforeValidator(_textual), AfterValidator(_storable)] = ""
    role: Literal["user", "assistant", "system", "tool"] = "user"
    sent_at: str | None = None
    edited_at: str | None = None
    labels: dict[
        Annotated[str, Field(max_length=100), AfterValidator(_not_blank)], Annotated[str, Field(max_length=500), AfterValidator(_storable)]
    ] = Field(default_factory=dict, max_length=32)
    image_caption: Annotated[str, Field(max_length=20_000), AfterValidator(_storable)] = ""

    @model_validator(mode="after")
    def _readable(self) -> "MessageEntry":
        size = len(self.text.encode()) + len(self.image_caption.encode())
        if size > _TEXT_BYTES:
            raise ValueError(f"text with image_caption must be at most {_TEXT_BYTES:,} bytes in UTF-8; they have {size:,}")
        if self.edited_at is not None and not self.id:
            raise ValueError("edited_at needs an id, which tells of what message this is a version")
        if self.edited_at is not None and datetime.fromisoformat(self.edited_at).tzinfo is None:
            raise ValueError('edited_at needs an offset, such as "2024-03-05T18:30:00Z"')
        return self

    @field_validator("sent_at", "edited_at")
    @classmethod
    def _a_time(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError('is not a time, such as "2024-03-05T18:30:00" or "2024-03-05T18:30:00+01:00"') from None
        if not is_stored(moment):
            raise ValueError(OUT_OF_RANGE)
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
            edited_at=None if self.edited_at is None else datetime.fromisoformat(self.edited_at),
        )


def is_stored(moment: datetime) -> bool:
    """Whether the service takes the time: from year 1 to 9998, in UTC where it has an offset."""
    try:
        utc = moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError:
        return False
    return utc.year <= 9998


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
