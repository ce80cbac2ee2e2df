"""A language model behind an OpenAI-compatible API."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, cast

import openai

from extract.counted_client import counted_client
from extract.counted_tries import counted
from extract.endpoint import EndpointSettings
from extract.llm.chat import ChatAnswer, ChatRequest, ChatUnavailable, ModelUsage, RequestTooLarge
from extract.llm.prompting import schema_in_words
from extract.llm.providers import Output, Provider

_log = logging.getLogger(__name__)


class Endpoint:
    """Implements `Chat`. Where the server refuses a form of output, the next one is used from then on."""

    def __init__(self, provider: Provider, settings: EndpointSettings, reasoning: str = "", output: Output | None = None) -> None:
        """Args:
        settings: an empty `url` is the provider's; `concurrency` is of all jobs together.
        reasoning: the effort to ask for; "" leaves it to the provider's row.
        output: the strictest form to ask for; None for the provider's.
        """
        self._provider = provider
        self._output = output or provider.output
        self._free = asyncio.Semaphore(settings.concurrency)
        self._options = {**provider.options, **provider.reasoning_options(reasoning)}
        self._client = counted_client(settings.url or provider.base_url, settings.key, settings.timeout_s, settings.retries)

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._client.close()

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """See `Chat.ask`."""
        with counted() as tries:
            try:
                with _failures(tries):
                    async with self._free:
                        return await self._ask(request, tries)
            except _Filtered as filtered:
                return filtered.answer

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatAnswer, None]:
        """See `StreamingChat.stream`."""
        with counted() as tries:
            try:
                with _failures(tries):
                    async with self._free, aclosing(self._stream(request, tries)) as parts:
                        async for part in parts:
                            yield part
            except _Filtered as filtered:
                yield filtered.answer

    async def _ask(self, request: ChatRequest, tries: list[int]) -> ChatAnswer:
        while True:
            output = self._output
            try:
                completion = await self._client.chat.completions.create(**cast(Any, self._body(request, output)))
                return _answer(completion, tries[0])
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                weaker = _weaker(output)
                if weaker is None or not _refuses_form(error):
                    raise
                _log.warning("the model's server refuses a form of output", extra={"refused": output.value, "instead": weaker.value})
                # Another call may have found out the same meanwhile.
                if self._output is output:
                    self._output = weaker

    async def _stream(self, request: ChatRequest, tries: list[int]) -> AsyncGenerator[str | ChatAnswer, None]:
        """A server's answer in pieces. One that ends without saying why it ends was broken off."""
        texts: list[str] = []
        used: Any = None
        finish = ""
        async with await self._begun(self._body(request, self._output)) as chunks:
            async for chunk in chunks:
                used = getattr(chunk, "usage", None) or used
                for choice in (getattr(chunk, "choices", None) or ())[:1]:
                    finish = choice.finish_reason or finish
                    text = getattr(choice.delta, "content", None)
                    if isinstance(text, str) and text:
                        texts.append(text)
                        yield text
        if not finish:
            raise ValueError("the server's answer has no end")
        yield ChatAnswer("".join(texts), finish != "length", _spent(used, tries[0]), withheld=finish == "content_filter")

    async def _begun(self, body: Mapping[str, Any]) -> openai.AsyncStream[Any]:
        create: Any = self._client.chat.completions.create
        try:
            stream = await create(**body, stream=True, stream_options={"include_usage": True})
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if "stream_options" not in _said(error):
                raise
            # Such a server tells no tokens.
            stream = await create(**body, stream=True)
        return cast("openai.AsyncStream[Any]", stream)

    def _body(self, request: ChatRequest, output: Output) -> dict[str, Any]:
        turns = [{"role": turn.role, "content": turn.content} for turn in request.turns]
        options = {**self._options, self._provider.token_parameter: request.most_tokens}
        body: dict[str, Any] = {"model": request.model, "messages": turns, "extra_body": options}
        if not request.schema:
            return body
        if output is Output.SCHEMA:
            form = {"name": "memories", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
            return body
        # Without a schema beside it the model must read it; "JSON" in the prompt is what JSON modes ask for.
        turns[0]["content"] += schema_in_words(request.schema)
        if output is Output.JSON:
            body["response_format"] = {"type": "json_object"}
        return body


def _answer(completion: Any, tries: int) -> ChatAnswer:
    """A server's completion. One without choices or text is an empty answer, which is then asked for again."""
    if not isinstance(completion, openai.BaseModel):
        raise ValueError("the server's answer is no completion")
    spent = _spent(getattr(completion, "usage", None), tries)
    choices = getattr(completion, "choices", None)
    if not choices:
        return ChatAnswer("", True, spent)
    finish = choices[0].finish_reason
    text = getattr(choices[0].message, "content", None)
    return ChatAnswer(text if isinstance(text, str) else "", finish != "length", spent, withheld=finish == "content_filter")


def _spent(used: Any, tries: int) -> ModelUsage:
    """What an answer took after so many tries, of which the last one brought it."""
    return ModelUsage(tries, getattr(used, "prompt_tokens", 0) or 0, getattr(used, "completion_tokens", 0) or 0, max(0, tries - 1))


class _Filtered(Exception):
    """The provider's filter refused the request."""

    def __init__(self, spent: ModelUsage) -> None:
        super().__init__()
        self.answer = ChatAnswer("", True, spent, withheld=True)


@contextmanager
def _failures(tries: list[int]) -> Iterator[None]:
    """Turns what a call can fail with into ChatUnavailable, RequestTooLarge or _Filtered; their texts may hold what was sent."""
    try:
        yield
    except openai.APIError as error:
        spent = ModelUsage(calls=tries[0], errors=tries[0])
        if _is_too_long(error):
            raise RequestTooLarge(spent) from None
        if _is_filtered(error):
            raise _Filtered(spent) from None
        raise ChatUnavailable(_reason(error), spent) from None
    except (ValueError, RecursionError):
        # Not JSON at all: a proxy's page, or half an answer. What the model itself says is inside of it and is read elsewhere.
        raise ChatUnavailable("answer", ModelUsage(calls=tries[0], errors=tries[0])) from None


def _weaker(output: Output) -> Output | None:
    return {Output.SCHEMA: Output.JSON, Output.JSON: Output.TEXT}.get(output)


def _said(error: openai.APIError) -> str:
    body = error.body if isinstance(error.body, Mapping) else {}
    return " ".join(str(part) for part in (error.code, error.param, body.get("message"), error.message) if part).lower()


def _refuses_form(error: openai.APIError) -> bool:
    return any(word in _said(error) for word in ("response_format", "json_schema", "json_object", "structured output"))


def _is_too_long(error: openai.APIError) -> bool:
    if isinstance(error, openai.APIStatusError) and error.status_code == 413:
        return True
    return isinstance(error, openai.BadRequestError) and any(
        word in _said(error) for word in ("context_length_exceeded", "context length", "maximum context", "too long")
    )


def _is_filtered(error: openai.APIError) -> bool:
    return isinstance(error, openai.BadRequestError) and "content_filter" in _said(error)


def _reason(error: openai.APIError) -> str:
    match error:
        case openai.APITimeoutError():
            return "timeout"
        case openai.APIStatusError():
            return f"status {error.status_code}"
        case openai.APIConnectionError():
            return "connection"
        case _:
            return "answer"
