"""What is wrong with an entry of a file, in our words: each field as its writer named it, and why."""

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

_KEY = "[key]"  # pydantic's place of a key, after the field and the key itself
_PLAIN = re.compile(r"\w[\w-]{0,39}")
_SHOWN = 40
# What other formats call the fields of a line.
_OTHER_NAMES = {
    **dict.fromkeys(("content", "message", "body", "value"), "text"),
    **dict.fromkeys(("name", "author", "from", "sender", "user"), "speaker"),
    **dict.fromkeys(("timestamp", "time", "date", "ts", "created_at", "create_time"), "sent_at"),
    **dict.fromkeys(("client_id", "message_id", "uuid"), "id"),
    **dict.fromkeys(("session_id", "conversation", "conversation_id", "thread_id", "chat_id"), "session"),
}


def reason_of(error: ValidationError) -> str:
    """All that is wrong with an entry: each field and why."""
    return "; ".join(_told(found) for found in error.errors(include_url=False))


def _told(found: Any) -> str:
    place = found["loc"]
    if len(place) > 2 and place[-1] == _KEY:
        return f"{_field(place[:-1])}: the key {_why(found)}"
    return f"{_field(place) or 'entry'}: {_why(found)}"


def _field(place: Sequence[str | int]) -> str:
    """A field as one writes it: `labels.channel`, `labels["a b"]`, `expected[0].text`. Nothing in it would act on a terminal."""
    told = ""
    for part in place:
        if isinstance(part, int):
            told += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            told += f".{part}" if told else part
        else:
            shown = json.dumps(part if len(part) <= _SHOWN else f"{part[:_SHOWN]}…", ensure_ascii=not part.isprintable())
            told += f"[{shown}]" if told else shown
    return told


def _why(found: Any) -> str:
    context: dict[str, Any] = found.get("ctx", {})
    match found["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return "is required"
        case "extra_forbidden":
            return _unknown(found["loc"])
        case "string_too_long":
            return f"must be at most {context['max_length']:,} characters; it has {len(found['input']):,}"
        case "string_too_short":
            return "must not be blank"
        case "too_long":
            return f"must hold at most {context['max_length']:,}; it holds {len(found['input']):,}"
        case "too_short":
            return "must not be empty"
        case "string_unicode":
            return "must be valid Unicode; it holds a lone surrogate"
        case "literal_error":
            return f"must be {str(context['expected']).replace(chr(39), '')}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:,}"
        case "less_than_equal":
            return f"must be at most {context['le']:,}"
        case kind:
            return f"must be {_KINDS.get(kind, 'another value')}"


_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": 'an object of texts, such as {"channel": "mail"}',
    "model_type": "a JSON object",
}


def _unknown(place: Sequence[str | int]) -> str:
    meant = _OTHER_NAMES.get(str(place[0]).lower()) if len(place) == 1 else None
    return f'is not a known field; its name here is "{meant}"' if meant else "is not a known field"
