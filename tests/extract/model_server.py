"""A server that speaks the APIs of embedders and rerankers over real HTTP and can be told to misbehave."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from extract.embed import HashingEmbedder

Body = dict[str, Any]
EMBEDDER = HashingEmbedder(32)


@dataclass
class Reply:
    """What the server does with one request: waits, then dies, or answers with a status and this JSON."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    dies: bool = False
    raw: str | None = None


async def honest(path: str, body: Body) -> Reply:
    """Embeds by hashing; ranks by the words that the query and a text share. Rows come in no order."""
    if path.endswith("/embeddings"):
        vectors = await EMBEDDER.embed(body["input"])
        rows = [{"object": "embedding", "index": i, "embedding": [3 * float(n) for n in v]} for i, v in enumerate(vectors)]
        return Reply({"object": "list", "data": rows[::-1], "usage": {"prompt_tokens": 7 * len(rows), "total_tokens": 7 * len(rows)}})
    if path.endswith("/rerank"):
        scores = [_shared(body["query"], text) for text in body["documents"]]
        best = sorted(range(len(scores)), key=lambda index: -scores[index])
        rows = [{"index": index, "relevance_score": scores[index]} for index in best]
        return Reply({"results": rows[: body["top_n"]], "usage": {"total_tokens": 5}})
    if path.endswith("/score"):
        return Reply({"data": [{"index": i, "score": _shared(body["text_1"], text)} for i, text in enumerate(body["text_2"])]})
    return Reply({"error": {"message": "no such path"}}, status=404)


def _shared(query: str, text: str) -> float:
    return float(len({*query.lower().split()} & {*text.lower().split()}))


class ModelServer:
    """Listens on a free port. Answers with `script` in order, then with `then`, then honestly; keeps every request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Body]] = []
        self.keys: list[str] = []
        self.script: list[Reply] = []
        self.then: Callable[[str, Body], Reply] | None = None
        self.url = ""
        self.at_once = self.most_at_once = 0
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/v1"

    async def stop(self) -> None:
        """Nobody listens any more; `start` brings it back at the same address."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        path = head[0].split(" ")[1]
        self.requests.append((path, body))
        self.keys.append(headers.get("authorization", ""))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            reply = self.script.pop(0) if self.script else self.then(path, body) if self.then else await honest(path, body)
            await asyncio.sleep(reply.delay)
            return await self._write(writer, reply)
        finally:
            self.at_once -= 1

    async def _write(self, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        content = (json.dumps(reply.body) if reply.raw is None else reply.raw).encode()
        lines = [f"HTTP/1.1 {reply.status} Said", "content-type: application/json", f"content-length: {len(content)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + (content[: len(content) // 2] if reply.dies else content))
        await writer.drain()
        return not reply.dies
