"""The prompts, in files of their own in `prompts/`, filled in."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path

from bench.dataset import Question
from bench.qa.protocol import Protocol
from extract.llm.chat import Turn

_PROMPTS = Path(__file__).parent / "prompts"
_TAG = re.compile(r"<(?=/?memories\b)", re.IGNORECASE)


@cache
def prompt(name: str) -> str:
    """The text of a prompt's file."""
    return (_PROMPTS / f"{name}.md").read_text("utf-8").strip()


@cache
def fingerprint() -> str:
    """A digest of all prompts: answers and verdicts of different prompts do not belong into one run."""
    digest = hashlib.sha256()
    for path in sorted(_PROMPTS.glob("*.md")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def answer_turns(protocol: Protocol, question: Question, context: str) -> tuple[Turn, ...]:
    """What the model is asked: the memories first, so that what follows from one context to the next can be kept by its server."""
    when = f"The question is asked on {question.asked_at:%Y-%m-%d %a %H:%M}.\n" if protocol.whole_history and question.asked_at else ""
    # A memory that holds the closing tag must not end the memories.
    told = _TAG.sub("<\\\\", context)
    return (
        Turn("system", prompt(protocol.answer)),
        Turn("user", f"<memories>\n{told}\n</memories>\n\n{when}Question: {question.text}"),
    )


def judge_turns(protocol: Protocol, question: Question, given: str) -> tuple[Turn, ...]:
    """What the judge is asked. The answer stands in a JSON string, out of which no text of a model can get."""
    asked = {"question": question.text, "expected": question.answer, "given": given}
    rule = prompt(protocol.rule_of(question))
    return (Turn("system", prompt("judge").format(rule=rule)), Turn("user", json.dumps(asked, ensure_ascii=False)))


def again_turns(asked: tuple[Turn, ...], said: str, why: str) -> tuple[Turn, ...]:
    """The judge asked once more, with what could not be read and why."""
    return (*asked, Turn("assistant", said), Turn("user", prompt("again").format(why=why)))
