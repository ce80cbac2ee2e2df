"""The judge: whether an answer is right, by a rule of the protocol, in an answer of a fixed form."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from bench.dataset import Question
from bench.qa.model import Model, NoAnswer, Spent
from bench.qa.prompting import again_turns, judge_turns
from bench.qa.protocol import Protocol
from extract.llm.answer import strict_schema
from extract.llm.chat import ChatAnswer
from extract.llm.reading import json_in

# A judge that gives something else is asked once more.
TRIES = 2


class _Judged(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    reason: str = Field(max_length=20_000)
    verdict: Literal["correct", "wrong"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge said. `malformed`: what it had said before that could not be read; `raw`: what was read."""

    correct: bool
    reason: str
    raw: str
    malformed: tuple[str, ...]
    spent: Spent


class Unreadable(NoAnswer):
    """The judge gave nothing that can be read, however often it was asked; `malformed` is all that it said."""

    def __init__(self, reason: str, spent: Spent, malformed: tuple[str, ...]) -> None:
        super().__init__(f"the judge's answer cannot be read: {reason}", spent, malformed[-1])
        self.malformed = malformed


def verdict_schema() -> dict[str, Any]:
    """The JSON schema of the judge's answer."""
    schema = strict_schema(_Judged.model_json_schema())
    assert isinstance(schema, dict)
    return schema


async def judge(model: Model, protocol: Protocol, question: Question, given: str) -> Verdict:
    """The verdict on an answer.

    Raises:
        Unreadable: there is none that can be read.    NoAnswer, BenchError: see `Model.ask`.
    """
    asked = judge_turns(protocol, question, given)
    turns, spent, malformed = asked, Spent(), list[str]()
    while True:
        try:
            answer, more = await model.ask(turns, verdict_schema())
        except NoAnswer as error:
            raise NoAnswer(error.reason, spent + error.spent, error.raw) from None
        spent += more
        judged = _read(answer)
        if isinstance(judged, _Judged):
            return Verdict(judged.verdict == "correct", judged.reason, answer.text, tuple(malformed), spent)
        malformed.append(answer.text)
        if len(malformed) == TRIES:
            raise Unreadable(judged, spent, tuple(malformed))
        turns = again_turns(asked, answer.text, judged)


def _read(answer: ChatAnswer) -> _Judged | str:
    """What was judged, or why that cannot be read."""
    if not answer.complete:
        return "it was cut off"
    try:
        said = from_json(json_in(answer.text).encode(errors="replace"))
    except ValueError:
        return "it is no JSON"
    if isinstance(said, dict) and isinstance(said.get("verdict"), str):
        # Servers that take no schema let models write it as they like.
        said["verdict"] = said["verdict"].strip().lower()
    try:
        return _Judged.model_validate(said)
    except ValidationError as error:
        return "; ".join(f"{'.'.join(map(str, found['loc'])) or 'it'}: {found['msg']}" for found in error.errors())
