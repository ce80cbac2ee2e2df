"""`POST /search`: the memories of a user that fit a query."""

from datetime import datetime
from math import ceil
from typing import Any

from structmem._answers import Hit, SummaryHit
from structmem._async_client import AsyncClient
from structmem._errors import NamespaceNotFoundError
from structmem._nodes import Message
from structmem.http.bodies import SearchRequest
from structmem.http.names import user_namespace

_MOST_SUMMARIES = 50  # that the service gives


async def search(client: AsyncClient, prefix: str, request: SearchRequest, at_least: str) -> list[dict[str, Any]]:
    """The memories, best first, and after them a summary for each five; nothing for a user of whom nothing was added."""
    namespace = user_namespace(prefix, request.user_id)
    try:
        found = await client.retrieve(
            request.query, namespace, k=request.top_k, at_least=at_least, summaries=min(_MOST_SUMMARIES, ceil(request.top_k / 5))
        )
    except NamespaceNotFoundError:
        return []
    return [*map(_memory, found), *map(_summary, found.summaries)]


def _memory(hit: Hit) -> dict[str, Any]:
    memory = hit.memory
    if isinstance(memory, Message):
        return _item(memory.id, f"{memory.speaker}: {memory.text}", hit.score, memory.sent_at)
    return _item(memory.id, memory.text, hit.score, memory.said_at)


def _summary(hit: SummaryHit) -> dict[str, Any]:
    return _item(hit.summary.id, hit.summary.text, hit.score, hit.summary.said_to)


def _item(id_: str, content: str, score: float, said_at: datetime | None) -> dict[str, Any]:
    shown = None if said_at is None else said_at.isoformat().replace("+00:00", "Z")
    return {"id": id_, "content": content, "score": score, "created_at": shown}
