"""The answers of the asyncio client. `_answering.py` is made from this file by `make_sync_client.py`; change this one."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from structmem import _answer_calls as answer_calls
from structmem import _calls as calls
from structmem._answers import Answer
from structmem._async_summaries import AsyncSummaries
from structmem._inputs import AsOf, ConsistencyTokens, MemoryFilter


class AsyncAnswering(AsyncSummaries):
    """Answering questions from memories."""

    async def answer(
        self,
        query: str,
        namespaces: str | Sequence[str],
        *,
        token_budget: int | None = None,
        k: int | None = None,
        recipe: str = "",
        filter: MemoryFilter | None = None,
        at_least: ConsistencyTokens = (),
        asked_at: datetime | None = None,
        time_zone: str = "",
        embedding: Sequence[float] = (),
        min_relevance: float = 0.0,
        session: str = "",
        turns: Sequence[str] = (),
        as_asked: bool = False,
        as_of: AsOf | datetime | None = None,
        summaries: int = 0,
        profile: bool = False,
        timeout: float | None = 120.0,
    ) -> Answer:
        """Answers a question from memories by one call of the service's language model, with citations that the service checked.

        The arguments are those of `build_context`: the model reads that context. Where there is none, no model is asked.

        Raises:
            LanguageModelMissingError: the service has no language model.
            UnavailableError: the model could not be asked.
        """
        asked = calls.query(
            namespaces,
            query,
            k,
            recipe,
            filter,
            at_least,
            asked_at,
            time_zone,
            embedding,
            min_relevance,
            session,
            turns,
            as_asked,
            summaries,
            as_of,
        )
        return await self._transport.unary(answer_calls.answer(asked, token_budget, profile), timeout)

    async def stream_answer(
        self,
        query: str,
        namespaces: str | Sequence[str],
        *,
        token_budget: int | None = None,
        k: int | None = None,
        recipe: str = "",
        filter: MemoryFilter | None = None,
        at_least: ConsistencyTokens = (),
        asked_at: datetime | None = None,
        time_zone: str = "",
        embedding: Sequence[float] = (),
        min_relevance: float = 0.0,
        session: str = "",
        turns: Sequence[str] = (),
        as_asked: bool = False,
        as_of: AsOf | datetime | None = None,
        summaries: int = 0,
        profile: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[str | Answer]:
        """As `answer`: first the text, piece by piece as the model writes it, then the whole answer. Ending it ends the model's call.

        It has no limit of time by itself.
        """
        asked = calls.query(
            namespaces,
            query,
            k,
            recipe,
            filter,
            at_least,
            asked_at,
            time_zone,
            embedding,
            min_relevance,
            session,
            turns,
            as_asked,
            summaries,
            as_of,
        )
        async for part in self._transport.stream(answer_calls.stream_answer(asked, token_budget, profile), timeout):
            yield part
