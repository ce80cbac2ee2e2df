"""A model that is no chat behind an HTTP API: one JSON body out, one JSON body in, counted whether it succeeds or not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import openai
import orjson

from extract.counted_client import counted_client
from extract.counted_tries import counted
from extract.metering import record_usage
from graph.store.port import UsageEntry


class EndpointFailed(Exception):
    """There is no answer, or none that can be used. The text says why in a few words and holds nothing of the server's."""


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Where an API is and how it is called.

    Attributes:
        url: what paths are added to.     key: sent as a bearer token; may be empty.
        model: as the API calls it; empty where each request names its model, as chats do.
        concurrency: calls under way at once.     timeout_s: seconds that one try may take.
        retries: further tries after the first, with jitter and no sooner than `Retry-After` says; the openai package makes them.
    """

    url: str
    model: str = ""
    key: str = ""
    concurrency: int = 4
    timeout_s: float = 60.0
    retries: int = 4


class Endpoint:
    """Calls one API. The openai package brings connections, retries and their waits; only bearer tokens and JSON are OpenAI's."""

    def __init__(self, settings: EndpointSettings) -> None:
        self.model = settings.model
        self._free = asyncio.Semaphore(settings.concurrency)
        self._client = counted_client(settings.url, settings.key, settings.timeout_s, settings.retries)

    async def post(self, step: str, path: str, body: Mapping[str, Any], items: int) -> Any:
        """The JSON that the API answers; `step` and `items` are what usage is counted as. Cancelled calls count as failed ones.

        Raises:
            EndpointFailed: no answer after every try, a refusal, or an answer that is no JSON.
        """
        tokens, failed = 0, 1
        with counted() as tries:
            try:
                async with self._free:
                    text = await self._client.post(path, cast_to=str, body={"model": self.model, **body})
                answer = orjson.loads(text)
                tokens, failed = _prompt_tokens(answer), 0
                return answer
            except openai.APIError as error:
                raise EndpointFailed(_reason(error)) from error
            except orjson.JSONDecodeError:
                raise EndpointFailed("the answer is no JSON") from None
            finally:
                if tries[0]:
                    record_usage(UsageEntry(step, self.model, tries[0], 0 if failed else items, tokens, errors=tries[0] - 1 + failed))

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._client.close()


def _prompt_tokens(answer: Any) -> int:
    usage = answer.get("usage") if isinstance(answer, dict) else None
    if not isinstance(usage, dict):
        return 0
    counts = (usage.get("prompt_tokens"), usage.get("total_tokens"))
    return next((count for count in counts if isinstance(count, int) and 0 <= count < 2**53), 0)


def _reason(error: openai.APIError) -> str:
    match error:
        case openai.APITimeoutError():
            return "no answer in time"
        case openai.APIStatusError():
            return f"status {error.status_code}"
        case _:
            return "no connection"
