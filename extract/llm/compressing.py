"""A segment with the texts that its prompt will have: words are left out, and what that saves is told."""

import asyncio
from dataclasses import replace

from extract.compress import Compressor
from extract.port import Segment
from extract.tokens import count_tokens
from graph.model import Message
from graph.store.port import UsageEntry
from graph.text.names import is_role_name


async def compressed_segment(segment: Segment, compressor: Compressor) -> tuple[Segment, tuple[UsageEntry, ...]]:
    """The segment with compressed texts, and the usage of step "compress": tokens before as a prompt's, those left as a completion's."""
    messages = (*segment.context, *segment.messages)
    texts = [message.text for message in messages]
    names = {message.speaker for message in messages if not is_role_name(message.speaker)}
    compressed = await compressor.compress(texts, names, [segment.importance.get(message.id) for message in messages])
    before, after = await asyncio.to_thread(lambda: (sum(map(count_tokens, texts)), sum(map(count_tokens, compressed))))
    short = tuple(map(_with_text, messages, compressed))
    usage = UsageEntry("compress", compressor.name, 1, len(messages), before, after)
    return replace(segment, context=short[: len(segment.context)], messages=short[len(segment.context) :]), (usage,)


def _with_text(message: Message, text: str) -> Message:
    return replace(message, text=text)
