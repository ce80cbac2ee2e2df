"""The blocking form of `_async_answering.py`, made from it by `make_sync_client.py`; change that one."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from structmem import _answer_calls as answer_calls
from structmem import _calls as calls
from structmem._answers import Answer
from structmem._inputs import AsOf, ConsistencyTokens, MemoryFilter
from structmem._summaries import Summaries


class Answering(Summaries):
    """Answering questions from memories."""

    def answer(
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
        return self._transport.unary(answer_calls.answer(asked, token_budget, profile), timeout)

    def stream_answer(
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
    ) -> Iterator[str | Answer]:
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
        yield from self._transport.stream(answer_calls.stream_answer(asked, token_budget, profile), timeout)
