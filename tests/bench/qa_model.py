"""What plays the models of `bench qa`: answers from the memories in a prompt, and judges by whether the expected words are there."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.extract.llm.openai_server import Reply

ANSWERER, JUDGE = "reader-1", "judge-1"
_PROMPT = re.compile(r"<memories>\n(.*)\n</memories>\n\n(.*)Question: (.*)", re.DOTALL)


def parts(body: Mapping[str, Any]) -> tuple[str, str, str]:
    """The memories, what stands before the question, and the question of a request for an answer."""
    found = _PROMPT.fullmatch(body["messages"][-1]["content"])
    assert found is not None
    return found[1], found[2], found[3]


def is_judging(body: Mapping[str, Any]) -> bool:
    """Whether the judge is asked."""
    return bool(body["model"] == JUDGE)


class Reader:
    """Knows for each question the words to look for, and what to say when they stand in the memories."""

    def __init__(self, known: Mapping[str, tuple[str, str]]) -> None:
        self._known = known

    def __call__(self, body: dict[str, Any]) -> Reply:
        if is_judging(body):
            return self.judge(body)
        memories, _, question = parts(body)
        words, answer = self._known[question]
        return Reply(answer if words in memories else "That was never mentioned.")

    @staticmethod
    def judge(body: dict[str, Any]) -> Reply:
        """Right is what holds the expected words; of a question without an answer, that it was never mentioned."""
        asked = json.loads(body["messages"][1]["content"])
        wanted = "never mentioned" if "cannot be answered" in body["messages"][0]["content"] else asked["expected"].lower()
        right = wanted in asked["given"].lower()
        return Reply(
            json.dumps({"reason": "The words are there." if right else "They are not.", "verdict": "correct" if right else "wrong"})
        )


LOCOMO_READER = Reader(
    {
        "When did Nadia adopt the cat?": ("grey cat", "It was on 7 May 2023"),
        "Which animals and boats are named?": ("canoe", "A canoe, cat"),
        "How many cats has Nadia?": ("grey cat", "1"),
        "Would Piet enjoy a lake?": ("canoe", "Likely yes"),
        "What does Piet say?": ("no such words", "nothing"),
        "What does Ugo bake?": ("rye", "Rye bread"),
    }
)
LONGMEMEVAL_READER = Reader(
    {
        "How many days after the purchase did my kettle break?": ("bought a kettle", "It broke 3 days later."),
        "What colour is my bicycle?": ("no such words", "Red."),
    }
)
