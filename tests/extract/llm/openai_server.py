"""A server that speaks the chat completions API over real HTTP and can be told to misbehave."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]
_LINES = re.compile(r"<conversation>\n(.*?)\n</conversation>", re.DOTALL)
_HEADING = re.compile(r"# (?:part (\d+), )?(\d{4}-\d\d-\d\d \w+ \d\d:\d\d)")
_MESSAGE = re.compile(r"(\d+)(?:\(([a-z, ]+)\))?:? (.*)")


@dataclass
class Reply:
    """What the server does with one request: waits, then dies, or answers with a status and a completion of this content.

    Where a stream is asked for, the content comes in pieces of `piece` characters, each after `pause` seconds; one that dies breaks off
    in the middle.
    """

    content: str = ""
    finish: str = "stop"
    status: int = 200
    error: Body | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    dies: bool = False
    raw: str | None = None
    piece: int = 7
    pause: float = 0.0


def messages_in(body: Body) -> list[Body]:
    """The messages that a request's last turn shows, as a careful reader sees them: each with its number, marks, speaker, text and day."""
    found = _LINES.search(body["messages"][-1]["content"])
    assert found is not None
    shown: list[Body] = []
    day = part = ""
    for line in found[1].split("\n"):
        if heading := _HEADING.fullmatch(line):
            part, day = heading[1] or part, heading[2]
            continue
        told = _MESSAGE.fullmatch(line)
        assert told is not None, line
        number, marks = int(told[1]), (told[2] or "").split(", ")
        if marks == ["image"]:
            shown[-1]["image"] = _unescaped(told[3].removeprefix(" "))
            continue
        speaker, _, text = told[3].partition(": ")
        one = {"n": number, "part": part, "sent": day, "speaker": _unescaped(speaker), "text": _unescaped(text)}
        shown.append(one | {mark: True for mark in marks if mark})
    return shown


def _unescaped(text: str) -> str:
    return str(json.loads('"' + text.replace('"', '\\"') + '"'))


def said(body: Body) -> list[Body]:
    """Those of them that the request asks about."""
    return [message for message in messages_in(body) if not message.get("before") and not message.get("read only")]


def fact(text: str, *numbers: int, **more: Any) -> Body:
    """A fact as a model gives it."""
    blank = {"subject": "", "predicate": "", "object": "", "when": "", "date": "", "confidence": 0.9}
    return {"text": text, "messages": list(numbers), **blank, **more}


def answer(*events: Body, entities: list[Body] | None = None) -> str:
    """An answer of the model."""
    blank = {"title": "", "facts": [], "relations": [], "causes": []}
    return json.dumps({"events": [{**blank, **event} for event in events], "entities": entities or []})


def honest(body: Body) -> Reply:
    """Does what the prompt asks: one event a message with what was said as a fact, and nothing that a message asks for."""
    facts = [fact(f"{one['speaker']} said: {one['text']}", one["n"]) for one in said(body)]
    if "facts" in _schema(body)["properties"]:
        return Reply(json.dumps({"facts": facts}))
    return Reply(answer(*({"title": f"message {one['messages'][0]}", "facts": [one]} for one in facts)))


def _schema(body: Body) -> Body:
    form = body.get("response_format", {})
    if form.get("type") == "json_schema":
        found: Body = form["json_schema"]["schema"]
        return found
    text = body["messages"][0]["content"]
    found = json.loads(text[text.index('{"$defs"') :])
    return found


class OpenAiServer:
    """Listens on a free port. Answers with `script` in order, then with `answers`; keeps every request."""

    def __init__(self) -> None:
        self.requests: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.script: list[Reply | Callable[[Body], Reply]] = []
        self.answers: Callable[[Body], Reply] = honest
        self.refused_forms: set[str] = set()
        self.at_once = 0
        self.most_at_once = 0
        self.given_up = 0
        self.refuses_stream_options = False
        self.url = ""
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            assert first.startswith("POST /v1/chat/completions "), first
            self.requests.append(body)
            self.headers.append(headers)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                reply = self._reply(body)
                await asyncio.sleep(reply.delay)
            finally:
                self.at_once -= 1
            if body.get("stream") and reply.status == 200 and reply.raw is None:
                await self._stream(reply, body, reader, writer)
            elif not reply.dies:
                writer.write(_http(reply, body["model"]))
                await writer.drain()
            elif reply.content:  # half of it
                whole = _http(reply, body["model"])
                writer.write(whole[: len(whole) // 2])
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up
        finally:
            writer.close()

    async def _stream(self, reply: Reply, body: Body, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        gone = asyncio.ensure_future(reader.read())
        for chunk in _chunks(reply, body):
            done, _ = await asyncio.wait({gone}, timeout=reply.pause)
            if done:
                self.given_up += 1
                return
            writer.write(chunk)
            await writer.drain()
        gone.cancel()

    def _reply(self, body: Body) -> Reply:
        form = body.get("response_format", {}).get("type", "text")
        if form in self.refused_forms:
            return Reply(status=400, error={"message": f"response_format.type {form} is not supported", "param": "response_format"})
        if body.get("stream_options") and self.refuses_stream_options:
            return Reply(status=400, error={"message": "unknown field stream_options", "param": "stream_options"})
        following = self.script.pop(0) if self.script else self.answers
        return following if isinstance(following, Reply) else following(body)


def _chunks(reply: Reply, body: Body) -> list[bytes]:
    """A streamed completion: its pieces, how it ends, what it took; of one that dies the first half of its pieces."""
    pieces = [reply.content[start : start + reply.piece] for start in range(0, len(reply.content), reply.piece)]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    chunks: list[Body] = [head | {"choices": [{"index": 0, "finish_reason": None, "delta": {"content": piece}}]} for piece in pieces]
    if reply.dies:
        chunks = chunks[: len(chunks) // 2]
    else:
        chunks.append(head | {"choices": [{"index": 0, "finish_reason": reply.finish, "delta": {}}]})
        if body.get("stream_options", {}).get("include_usage"):
            chunks.append(head | {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}})
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return lines if reply.dies else [*lines, b"data: [DONE]\n\n"]


def _http(reply: Reply, model: str) -> bytes:
    if reply.raw is not None:
        payload = reply.raw
    elif reply.status != 200:
        payload = json.dumps({"error": reply.error or {"message": "no", "type": "server_error"}})
    else:
        message = {"role": "assistant", "content": reply.content}
        payload = json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": model,
                "choices": [{"index": 0, "finish_reason": reply.finish, "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }
        )
    content = payload.encode("utf-8", "surrogatepass")
    lines = [f"HTTP/1.1 {reply.status} Status", "Content-Type: application/json", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
