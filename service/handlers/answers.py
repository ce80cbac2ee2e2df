"""The AnswerService: Answer, StreamAnswer."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from structmem.v1 import answer_service_pb2 as pb
from structmem.v1 import answer_service_pb2_grpc

from extract.llm.answering import Answerer, Question
from graph.errors import LanguageModelMissing
from graph.retrieval import Context as BuiltContext
from graph.retrieval import RetrievalRequest
from service.convert.answers import answer_to_proto
from service.handlers.querying import QueryHandlers
from service.handlers.resource import Context
from service.settings import Settings


class AnswerHandlers(QueryHandlers, answer_service_pb2_grpc.AnswerServiceServicer):
    """Answers questions from memories."""

    async def Answer(self, request: pb.AnswerRequest, context: Context) -> pb.AnswerResponse:
        """The answer to a question."""
        asked, built = await self._built(request)
        answerer = self._answerer()
        with self._dependencies.usage.of(asked.namespace):
            answer = await answerer.answer(_question(asked, built))
        return pb.AnswerResponse(answer=answer_to_proto(answer, built))

    async def StreamAnswer(self, request: pb.StreamAnswerRequest, context: Context) -> AsyncIterator[pb.StreamAnswerResponse]:
        """The answer to a question as it is written, and then all of it."""
        asked, built = await self._built(request)
        answerer = self._answerer()
        with self._dependencies.usage.of(asked.namespace):
            async with aclosing(answerer.stream(_question(asked, built))) as parts:
                async for part in parts:
                    if isinstance(part, str):
                        yield pb.StreamAnswerResponse(text=part)
                    else:
                        yield pb.StreamAnswerResponse(answer=answer_to_proto(part, built))

    def _answerer(self) -> Answerer:
        answerer = self._dependencies.answerer
        if answerer is None:
            raise LanguageModelMissing(f"this service answers no questions: {_missing(self._dependencies.settings)}")
        return answerer


def _question(asked: RetrievalRequest, built: BuiltContext) -> Question:
    return Question(asked.query, built.entries, asked.asked_at, built.plan.zone, asked.valid_at, asked.turns)


def _missing(settings: Settings) -> str:
    """What keeps the service from asking a model."""
    if not settings.llm_model:
        return "set llm_model, and what its provider needs (llm_provider, llm_base_url, llm_api_key)"
    if settings.llm_replay is not None:
        return "llm_replay has it answer from recorded exchanges, which answers are not among"
    return f"the provider {settings.llm_provider} wants a key; set llm_api_key, or the variable that llm_key_variable names"
