"""Files that are no chat files: what they seem to be, and what takes them."""

import json
import re
from typing import Any

# The beginning of a file is enough to know its kind.
_READ = 4_000
_FIELDS = '"session", "speaker", "text", "sent_at", "role", "id", "labels", "image_caption", "edited_at"'
_LINES = f"`structmem ingest` takes JSON Lines with the fields {_FIELDS}"
# The messages of chat APIs: `{"role", "content"}`. Who speaks in a role is not said; the role stands for the speaker.
_AS_LINE = "{speaker: .role, role, text: .content}"
# A date or a time at the start of a line, as exports of messengers in plain text have it.
_DATED_LINE = re.compile(r"^\W{0,3}\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\D", re.MULTILINE)


def looks_like(content: bytes) -> str:
    """What a file of which no line is a message seems to be, with what takes it; empty where nothing is known of it."""
    if content.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        what = "an export of a namespace goes in with `structmem import`; unpack anything else"
        return f"the file is compressed: {what}"
    beginning = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:_READ].decode("utf-8", "replace")
    first = beginning.partition("\n")[0].rstrip("\r")
    if beginning.startswith(("[", "{")) and (found := _chat_api(content)):
        return found
    if beginning.startswith("["):
        if _holds_json(content):
            return f"the file is one JSON array; `jq -c '.[]' FILE` writes its elements as lines. {_LINES}"
        return _text(beginning)
    if beginning.startswith("{"):
        return _object(content, first)
    if first.count(",") >= 1 and re.match(r'"?[A-Za-z_ ]+"?(?:,"?[A-Za-z_ ]+"?)+$', first):
        return f"the file looks like CSV, with the columns {first[:100]}; no command takes that. {_LINES}"
    return _text(beginning)


def _chat_api(content: bytes) -> str:
    """What makes lines of messages as OpenAI's API and others have them; empty where the file holds none."""
    whole = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    value = _json(whole.partition(b"\n")[0])
    if value is None:
        value = _json(whole)
    for way, messages in (("", [value]), (".[] | ", value), (".messages[] | ", value.get("messages") if isinstance(value, dict) else None)):
        first = messages[0] if isinstance(messages, list) and messages else None
        if isinstance(first, dict) and isinstance(first.get("role"), str) and isinstance(first.get("content"), str):
            return f"its messages are those of a chat API; `jq -c '{way}{_AS_LINE}' FILE` makes lines of them. {_LINES}"
    return ""


def _object(content: bytes, first: str) -> str:
    line = _json(first.encode())
    if isinstance(line, dict) and "header" in line:
        return "the file is an export of a namespace: `structmem import FILE` takes it"
    if isinstance(line, dict) and "question" in line:
        return "the file holds golden questions: `structmem eval FILE` takes it"
    if line is None and _holds_json(content):
        return f"the file is one JSON document, an export of another tool; no command takes that. {_LINES}"
    return ""


def _text(beginning: str) -> str:
    if _DATED_LINE.search(beginning):
        return f"the file looks like a messenger's export as text; no command takes that. {_LINES}"
    return f"the file is no JSON. {_LINES}"


def _json(content: bytes) -> Any | None:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _holds_json(content: bytes) -> bool:
    return _json(content.lstrip(b"\xef\xbb\xbf")) is not None
