"""The run: every question is answered from what each system makes of its conversation, and every answer is judged."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.dataset import Conversation, Question
from bench.qa.contexts import Context, ContextSource
from bench.qa.judging import Unreadable, judge
from bench.qa.model import Model, NoAnswer
from bench.qa.prompting import answer_turns
from bench.qa.protocol import Protocol
from bench.qa.remembering import Memories
from bench.qa.results import Results
from bench.report import Step
from extract.tokens import count_tokens
from graph.gather import gather_or_cancel

Asked = Sequence[tuple[Conversation, Sequence[Question]]]
# Free text: no schema.
_FREE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Run:
    """What answers and judges, and where to. `save_contexts`: whether predictions keep what they were answered from."""

    protocol: Protocol
    answers: Model
    judge: Model
    results: Results
    save_contexts: bool = False

    async def ask(
        self,
        systems: Sequence[str],
        sources: Mapping[str, ContextSource],
        asked: Asked,
        memories: Memories | None,
        at_once: int,
        step: Step,
    ) -> None:
        """Asks what was not asked yet, of so many conversations at once, and has judged what was not judged.

        `sources`: those of the systems that have something to answer. What a conversation takes in the service is given back once it
        is done.
        """
        free = asyncio.Semaphore(at_once)

        async def one(conversation: Conversation, questions: Sequence[Question]) -> None:
            async with free:
                await gather_or_cancel([self._ask(name, sources.get(name), conversation, questions, step) for name in systems])
                if memories and not any(self.undone(name, conversation, questions) for name in systems):
                    await memories.forget(conversation)

        await gather_or_cancel([one(conversation, questions) for conversation, questions in asked])

    def is_unanswered(self, system: str, asked: Asked) -> bool:
        """Whether a system has not answered everything yet."""
        return any(self.undone(system, conversation, questions) for conversation, questions in asked)

    def undone(self, system: str, conversation: Conversation, questions: Sequence[Question]) -> list[Question]:
        """The questions that a system has not answered yet."""
        return [one for one in questions if self.results.predictions.get(system, conversation.id, one.id) is None]

    async def _ask(
        self, system: str, source: ContextSource | None, conversation: Conversation, questions: Sequence[Question], step: Step
    ) -> None:
        to_answer = {question.id for question in self.undone(system, conversation, questions)}
        prepared = await source.prepare(conversation) if source and to_answer else None

        async def one(question: Question) -> None:
            place = {"system": system, "conversation": conversation.id, "question_id": question.id}
            if prepared is not None and question.id in to_answer:
                await self._answer(place, question, await prepared.context(question))
            await self._judge(place, question)
            step.advance()

        await gather_or_cancel([one(question) for question in questions])

    async def _answer(self, place: Mapping[str, str], question: Question, context: Context) -> None:
        tokens = await asyncio.to_thread(count_tokens, context.text)
        try:
            answer, spent = await self.answers.ask(answer_turns(self.protocol, question, context.text), _FREE)
        except NoAnswer as error:
            self._failed(place, "answer", error)
            return
        prediction = {
            **place,
            "category": question.category,
            "question": question.text,
            "answer": question.answer,
            "hypothesis": answer.text.strip(),
            "cut_off": not answer.complete,
            "memories": context.memories,
            "summaries": context.summaries,
            "context_tokens": tokens,
            "retrieve_seconds": round(context.seconds, 4),
            "model": self.answers.name,
            "spent": asdict(spent),
        }
        self.results.predictions.write(prediction | ({"context": context.text} if self.save_contexts else {}))

    async def _judge(self, place: Mapping[str, str], question: Question) -> None:
        key = tuple(place.values())
        prediction = self.results.predictions.get(*key)
        if prediction is None or self.results.judgements.get(*key) is not None:
            return
        try:
            verdict = await judge(self.judge, self.protocol, question, str(prediction["hypothesis"]))
        except NoAnswer as error:
            self._failed(place, "judge", error)
            return
        self.results.judgements.write(
            {
                **place,
                "category": question.category,
                "rule": self.protocol.rule_of(question),
                "correct": verdict.correct,
                "reason": verdict.reason,
                "raw": verdict.raw,
                "malformed": list(verdict.malformed),
                "model": self.judge.name,
                "spent": asdict(verdict.spent),
            }
        )

    def _failed(self, place: Mapping[str, str], stage: str, error: NoAnswer) -> None:
        malformed = list(error.malformed) if isinstance(error, Unreadable) else []
        entry = {**place, "stage": stage, "reason": error.reason, "raw": error.raw, "malformed": malformed, "spent": asdict(error.spent)}
        self.results.failures.write(entry)
