"""JSON Lines of questions, one a line.

`{"question", "expected": [id, client id or {"text"}], "k", "asked_at", "session", "turns", "filter"}`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, ValidationInfo, field_validator

from service.cli.chats import LineProblem
from service.cli.chats.entries import OUT_OF_RANGE, Name, is_stored
from service.cli.chats.json_lines import Unreadable, line_value
from service.cli.chats.reasons import reason_of
from service.cli.dates import checked_period

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class ExpectedText(BaseModel):
    """A message that holds this text, whatever the case."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: _Text = Field(max_length=10_000)


def _one(value: Any) -> Any:
    # Which of the two is meant shows in the form; told apart here, so that what is wrong is said of the one that was meant.
    if isinstance(value, dict):
        return ExpectedText.model_validate(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValueError('must be an id, a client id or {"text": "words of a message"}')
    return str(value)


class Limits(BaseModel):
    """Which memories may answer a question; as the options of `search`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kinds: list[str] = Field(default_factory=list)
    sessions: list[Name] = Field(default_factory=list)
    speakers: list[Name] = Field(default_factory=list)
    labels: list[str] = Field(default_factory=list)
    since: str | None = Field(None, alias="from")
    until: str | None = Field(None, alias="to")

    @field_validator("kinds")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        if unknown := [kind for kind in value if kind not in ("message", "fact", "relation")]:
            raise ValueError(f'"{unknown[0]}" is not message, fact or relation')
        return value

    @field_validator("since", "until")
    @classmethod
    def _date(cls, value: str | None) -> str | None:
        return checked_period(value)


class Question(BaseModel):
    """One line: what is asked, and the memories that should be in the answer's first `k`.

    With `asked_at` it sees only what was said before; with `session` it is a turn of that running session, whose last ones are `turns`.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    question: _Text = Field(max_length=100_000)
    expected: list[Annotated[str | ExpectedText, BeforeValidator(_one)]] = Field(min_length=1, max_length=1_000)
    k: int | None = Field(None, ge=1, le=1_000)
    asked_at: str | None = None
    session: Name = ""
    turns: list[Annotated[_Text, Field(max_length=100_000)]] = Field(default_factory=list, max_length=16)
    filter: Limits = Field(default_factory=lambda: Limits.model_validate({}))
    line: int = Field(0, exclude=True, init=False)

    @field_validator("asked_at")
    @classmethod
    def _an_instant(cls, value: str | None) -> str | None:
        try:
            moment = None if value is None else datetime.fromisoformat(value)
        except ValueError:
            raise ValueError('is not a time, such as "2024-03-05T18:30:00+00:00"') from None
        if moment and moment.tzinfo is None:
            raise ValueError('needs an offset, such as "2024-03-05T18:30:00+00:00"')
        if moment and not is_stored(moment):
            raise ValueError(OUT_OF_RANGE)
        return value

    @field_validator("turns")
    @classmethod
    def _of_a_session(cls, value: list[str], info: ValidationInfo) -> list[str]:
        if value and not info.data.get("session"):
            raise ValueError("are those of a running session, and session names none")
        return value


def read_questions(lines: Iterable[bytes]) -> tuple[list[Question], list[LineProblem]]:
    """The questions of a file, and the lines that hold none, with the field and the reason. Blank lines are passed over."""
    questions: list[Question] = []
    problems: list[LineProblem] = []
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            question = Question.model_validate(line_value(raw, number))
        except Unreadable as error:
            problems.append(LineProblem(f"line {number}", str(error)))
        except ValidationError as error:
            problems.append(LineProblem(f"line {number}", reason_of(error)))
        else:
            question.line = number
            questions.append(question)
    return questions, problems
