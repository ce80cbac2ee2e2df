"""The summaries of the asyncio client. `_summaries.py` is made from this file by `make_sync_client.py`; change this one."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from structmem import _summary_calls as calls
from structmem._answers import Job, SummaryTree
from structmem._async_listings import AsyncListings
from structmem._inputs import AsOf, ConsistencyTokens, TimeRange
from structmem._kinds import SummaryLevel
from structmem._nodes import Summary


class AsyncSummaries(AsyncListings):
    """Reading summaries, and having them written."""

    async def list_summaries(
        self,
        namespace: str,
        *,
        levels: Sequence[SummaryLevel | str] = (),
        sessions: Sequence[str] = (),
        happened: TimeRange | None = None,
        stale: bool | None = None,
        as_of: AsOf | datetime | None = None,
        at_least: ConsistencyTokens = (),
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[Summary]:
        """Summaries in order of when what they tell of was first said; fetches pages as they are needed.

        `stale`: only those that wait to be written anew, or, if False, only the others.
        """
        token = ""
        while True:
            call = calls.list_summaries(namespace, levels, sessions, happened, stale, as_of, at_least, page_size, token)
            found, token = await self._transport.unary(call, timeout)
            for summary in found:
                yield summary
            if not token:
                return

    async def get_summary(
        self,
        namespace: str,
        summary_id: str,
        *,
        depth: int | None = None,
        at_least: ConsistencyTokens = (),
        timeout: float | None = None,
    ) -> SummaryTree:
        """A summary and what lies below it, `depth` steps down, 1 to 5; by default all, down to the messages."""
        return await self._transport.unary(calls.get_summary(namespace, summary_id, depth, at_least), timeout)

    async def get_profile(
        self,
        namespace: str,
        *,
        as_of: AsOf | datetime | None = None,
        at_least: ConsistencyTokens = (),
        timeout: float | None = None,
    ) -> Summary | None:
        """Who a namespace is about, and what lasts of what was said; None before the first consolidation.

        `as_of`: None, too, where the profile rests on something that was said later.
        """
        return await self._transport.unary(calls.get_profile(namespace, as_of, at_least), timeout)

    async def consolidate(self, namespace: str, *, anew: bool = False, timeout: float | None = None) -> Job:
        """Has summaries written of what waits for them, now; `anew`: all of them. `wait_for` waits for the job."""
        return await self._transport.unary(calls.consolidate(namespace, anew), timeout)
