"""Writing what a language model was asked and answered to a file, and answering from such a file without a network."""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from extract.llm.chat import Chat, ChatAnswer, ChatRequest, ChatUnavailable, ModelUsage
from graph.errors import InvalidArgument

_log = logging.getLogger(__name__)

# One JSON object a line: {"key", "request", "answer"}. No URL, no header, no key of a provider: only what was asked and said.


class RecordingChat:
    """Asks another one and appends each exchange to a file that only its owner may read. A request that is answered anew has two lines."""

    def __init__(self, chat: Chat, path: Path) -> None:
        """Raises OSError when the file cannot be written, InvalidArgument when it holds something else than exchanges."""
        self._chat = chat
        self._known = load_exchanges(path) if path.exists() else {}
        self._file: TextIO = open(  # noqa: SIM115  # open as long as this is
            path, "a", encoding="utf-8", errors="surrogatepass", opener=_private
        )
        _cut_half_a_line(path)
        self._lock = threading.Lock()

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """See `Chat.ask`."""
        answer = await self._chat.ask(request)
        try:
            await asyncio.to_thread(self._write, request, answer)
        except OSError as error:
            # What was asked and paid for must not be lost with its copy.
            _log.warning("an exchange with a language model was not recorded", extra={"error": type(error).__name__})
        return answer

    async def aclose(self) -> None:
        """Closes the file and the other one."""
        self._file.close()
        await self._chat.aclose()

    def _write(self, request: ChatRequest, answer: ChatAnswer) -> None:
        with self._lock:
            if self._known.get(request.key) == answer:
                return
            line = {"key": request.key, "request": asdict(request), "answer": asdict(answer)}
            self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
            self._file.flush()
            self._known[request.key] = answer


class ReplayedChat:
    """Answers from a file of exchanges; there is no network."""

    def __init__(self, path: Path) -> None:
        """Raises OSError or InvalidArgument when the file cannot be used."""
        self._answers = load_exchanges(path)
        self._path = path

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """The recorded answer. Raises NotRecorded for a request that is not in the file."""
        answer = self._answers.get(request.key)
        if answer is None:
            raise NotRecorded(request.key)
        return answer

    async def aclose(self) -> None:
        """There is nothing to let go of."""


class NotRecorded(ChatUnavailable):
    """The file of exchanges has no answer to this request: the messages, the prompts, the profile or the model are others."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no recorded exchange has the key {key}", ModelUsage(calls=1, errors=1))
        self.key = key


def load_exchanges(path: Path) -> dict[str, ChatAnswer]:
    """The last answer to each request of a file, by its key: it is the one that was used, where an attempt failed after an earlier one.

    A line that a crash cut off is passed over if it is the last.

    Raises:
        InvalidArgument: a line is no exchange; names its number.
    """
    answers: dict[str, ChatAnswer] = {}
    # Only at line feeds: what was said may hold other signs that end lines. As bytes: a crash may have cut a character in two.
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            answers[str(entry["key"])] = _answer(entry["answer"])
        except (ValueError, KeyError, TypeError):
            if number == len(lines):
                break
            raise InvalidArgument.of(f"line {number}", "is not a recorded exchange") from None
    return answers


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _cut_half_a_line(path: Path) -> None:
    """Takes away what a crash left of a line, so that the next one is not joined to it."""
    with path.open("r+b") as file:
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)


def _answer(data: Mapping[str, Any]) -> ChatAnswer:
    return ChatAnswer(str(data["text"]), bool(data["complete"]), ModelUsage(**data["spent"]), bool(data["withheld"]))
