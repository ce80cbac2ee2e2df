"""`POST /search`: the memories of a user that fit a query."""

from typing import Any

from structmem._answers import Hit
from structmem._async_client import AsyncClient
from structmem._errors import NamespaceNotFoundError
from structmem._nodes import Message
from structmem.http.bodies import SearchRequest
from structmem.http.names import user_namespace


async def search(client: AsyncClient, prefix: str, request: SearchRequest, at_least: str) -> list[dict[str, Any]]:
    """The hits, best first, as the call's answer shows them; none for a user of whom nothing was added."""
    namespace = user_namespace(prefix, request.user_id)
    try:
        found = await client.retrieve(request.query, namespace, k=request.top_k, at_least=at_least)
    except NamespaceNotFoundError:
        return []
    return [_item(hit) for hit in found]


def _item(hit: Hit) -> dict[str, Any]:
    memory = hit.memory
    said_at = memory.sent_at if isinstance(memory, Message) else memory.said_at
    return {
        "id": memory.id,
        "content": f"{memory.speaker}: {memory.text}" if isinstance(memory, Message) else memory.text,
        "score": hit.score,
        "created_at": None if said_at is None else said_at.isoformat().replace("+00:00", "Z"),
    }
