"""The openai package's client, with its tries counted: what its retries spend is told of nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import openai

# The package asks for a key even where the server wants none.
_NO_KEY = "none"
_tries: ContextVar[list[int]] = ContextVar("_tries")


def counted_client(url: str, key: str, timeout_s: float, retries: int) -> openai.AsyncOpenAI:
    """A client that may be used within `counted` alone; `key` may be empty."""
    return openai.AsyncOpenAI(
        api_key=key or _NO_KEY,
        base_url=url,
        timeout=timeout_s,
        max_retries=retries,
        http_client=openai.DefaultAsyncHttpxClient(event_hooks={"request": [_count_try]}),
    )


@contextmanager
def counted() -> Iterator[list[int]]:
    """Counts the tries of the calls within: the one number in the list. At the end it adds to the count around it, if there is one."""
    tries, around = [0], _tries.get(None)
    token = _tries.set(tries)
    try:
        yield tries
    finally:
        _tries.reset(token)
        if around is not None:
            around[0] += tries[0]


async def _count_try(_: object) -> None:
    _tries.get()[0] += 1
