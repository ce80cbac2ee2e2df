"""The two protocols: which questions are asked, how an answer is prompted for, and by which rule it is judged.

LoCoMo as Mem0, LightMem and StructMem evaluate it: the questions of four categories, without the adversarial ones, one generous judge;
and F1 as its authors publish it (Maharana et al., ACL 2024). LongMemEval as its authors do (Wu et al., ICLR 2025): a rule for each type
of question, and one for those that cannot be answered, whose type counts them as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bench.dataset import Dataset, Question
from bench.report import BenchError


@dataclass(frozen=True, slots=True)
class Protocol:
    """One of the two.

    Attributes:
        answer: the prompt's file for answers.
        rules: the judge's rule by category; `rule` for all others.
        whole_history: whether everything is history, whenever it was said; else only what was said before a question that has a time.
        has_f1: whether answers are compared with the expected words, too.
        averages_tasks: whether the mean over categories is reported, too, and the score of questions that cannot be answered.
    """

    name: str
    answer: str
    rule: str
    whole_history: bool
    has_f1: bool
    averages_tasks: bool
    rules: Mapping[str, str] = field(default_factory=dict)

    def rule_of(self, question: Question) -> str:
        """The file of the rule by which an answer to this question is judged."""
        return "rule_abstention" if question.abstention else self.rules.get(question.category, self.rule)

    def asked(self, questions: Iterable[Question]) -> list[Question]:
        """The questions that are asked: those that are no tricks and have an answer to judge by."""
        return [question for question in questions if question.category != "adversarial" and question.answer]


LOCOMO = Protocol("locomo", "answer_locomo", "rule_locomo", whole_history=False, has_f1=True, averages_tasks=False)
_LONGMEMEVAL_RULES = {
    "single-session-user": "rule_facts",
    "single-session-assistant": "rule_facts",
    "multi-session": "rule_facts",
    "temporal-reasoning": "rule_times",
    "knowledge-update": "rule_updates",
    "single-session-preference": "rule_preferences",
}
LONGMEMEVAL = Protocol(
    "longmemeval",
    "answer_longmemeval",
    "rule_facts",
    whole_history=True,
    has_f1=False,
    averages_tasks=True,
    rules=_LONGMEMEVAL_RULES,
)
PROTOCOLS = {protocol.name: protocol for protocol in (LOCOMO, LONGMEMEVAL)}


def protocol_of(dataset: Dataset, name: str = "") -> Protocol:
    """The protocol of this name, or the one whose categories the data set's questions have.

    Raises:
        BenchError: the questions have other categories, and no name is given.
    """
    if name:
        return PROTOCOLS[name]
    categories = {question.category for conversation in dataset.conversations for question in conversation.questions}
    if categories <= {"multi-hop", "temporal", "open-domain", "single-hop", "adversarial"}:
        return LOCOMO
    unknown = sorted(categories - set(_LONGMEMEVAL_RULES))
    if unknown:
        raise BenchError(f"a category is {unknown[0]!r}, which neither protocol has: --protocol says by which to ask and judge")
    return LONGMEMEVAL
