"""The openai package's client, with its tries counted: what its retries spend is told of nowhere else."""

import openai

from extract.counted_tries import count_try

# The package asks for a key even where the server wants none.
_NO_KEY = "none"


def counted_client(url: str, key: str, timeout_s: float, retries: int) -> openai.AsyncOpenAI:
    """A client that may be used within `counted` alone; `key` may be empty."""
    return openai.AsyncOpenAI(
        api_key=key or _NO_KEY,
        base_url=url,
        timeout=timeout_s,
        max_retries=retries,
        http_client=openai.DefaultAsyncHttpxClient(event_hooks={"request": [_count_try]}),
    )


async def _count_try(_: object) -> None:
    count_try()
