"""The language model of this benchmark: a local server that speaks the chat completions API, answers at once, and counts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.economics.answers import AnswerLength
from bench.economics.shown import ShownMessage, runs_in, step_of
from extract.tokens import count_tokens


@dataclass(slots=True)
class Taken:
    """What calls took."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, prompt: int, completion: int) -> None:
        """One more call."""
        self.calls += 1
        self.prompt_tokens += prompt
        self.completion_tokens += completion


@dataclass(slots=True)
class Heard:
    """What the model was asked since it was looked at last: by step, and the runs of messages that it was shown, in that order."""

    steps: dict[str, Taken] = field(default_factory=dict)
    runs: list[list[ShownMessage]] = field(default_factory=list)


class CountingModel:
    """Answers every request with so much, and counts its tokens as the project counts them: prompts with their schema."""

    def __init__(self, length: AnswerLength) -> None:
        self.url = ""
        self._length = length
        self._heard = Heard()

    def heard(self) -> Heard:
        """What was asked since the last look."""
        heard, self._heard = self._heard, Heard()
        return heard

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one connection's request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = (line.partition(": ") for line in head.strip().split("\r\n")[1:])
            size = next(int(value) for name, _, value in fields if name.lower() == "content-length")
            body = json.loads(await reader.readexactly(size))
            payload = json.dumps(await asyncio.to_thread(self._completion, body)).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(payload) + payload)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up
        finally:
            writer.close()

    def _completion(self, body: dict[str, Any]) -> dict[str, Any]:
        step, content = step_of(body), self._length.answer(body)
        schema = json.dumps(body["response_format"]["json_schema"]["schema"], ensure_ascii=False, separators=(",", ":"))
        prompt = sum(count_tokens(text) for text in (*(turn["content"] for turn in body["messages"]), schema))
        completion = count_tokens(content)
        self._heard.steps.setdefault(step, Taken()).add(prompt, completion)
        if step == "extraction":
            self._heard.runs += runs_in(body)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        message = {"role": "assistant", "content": content}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        return {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"], "choices": choices, "usage": usage}


@asynccontextmanager
async def counting_model(length: AnswerLength) -> AsyncIterator[CountingModel]:
    """The model on a free port, as long as the block runs."""
    model = CountingModel(length)
    server = await asyncio.start_server(model.serve, "127.0.0.1", 0)
    model.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield model
    finally:
        server.close()
        await server.wait_closed()
