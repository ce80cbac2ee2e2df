"""The running session of a query that is a turn of it: what was last said there, for the embedder."""

from collections.abc import Sequence

from graph.retrieval.answer import RetrievalRequest
from graph.retrieval.planning.question import dense_excerpt
from graph.store.port import Memory

# Of what is longer the vector would tell of none.
_MOST_TURNS = 4


async def running_text(memory: Memory, request: RetrievalRequest, words: int) -> str:
    """At most about `words` words of the running session's last turns, the last one first and at most half of it; "" without any.

    They are the request's own, or else the session's last messages from before `asked_at`; the query itself is none of them.
    """
    turns: Sequence[str] = request.turns
    if not turns:
        found = await memory.last_messages(request.session, request.asked_at, _MOST_TURNS + 1)
        turns = [message.text for message in found]
    told = [turn for turn in turns if turn.strip() and turn.strip() != request.query.strip()][-_MOST_TURNS:]
    parts: list[str] = []
    for turn in reversed(told):
        words //= 2
        parts.append(dense_excerpt(turn, words))
    return " ".join(parts)
