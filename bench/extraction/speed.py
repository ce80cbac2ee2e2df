"""How many messages a second the rules read, on one core, embedding apart."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC

from bench.dataset import ROLES, Conversation
from extract.local.extractor import extract_segment
from extract.port import Segment
from graph.model import ExtractionMode, Message, Role

_ROUNDS = 3
# As many as a segment holds at most; what comes before a segment is its context.
_SEGMENT = 40
_CONTEXT = 4


def messages_of(conversations: Iterable[Conversation]) -> list[list[Message]]:
    """The messages of each session."""
    return [
        [
            Message(
                one.id, session.id, seq, one.speaker, _role(one.role), one.text, one.sent_at, one.sent_at, image_caption=one.image_caption
            )
            for seq, one in enumerate(session.messages, 1)
        ]
        for conversation in conversations
        for session in conversation.sessions
    ]


def _role(name: str) -> Role:
    return Role[name.upper()] if name in ROLES else Role.USER


def messages_per_second(sessions: Sequence[Sequence[Message]]) -> float:
    """Messages a second of CPU time, the best of some rounds: the others were disturbed."""
    segments = [
        Segment("bench", "chat", tuple(session[max(0, low - _CONTEXT) : low]), tuple(session[low : low + _SEGMENT]), UTC)
        for session in sessions
        for low in range(0, len(session), _SEGMENT)
    ]
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.thread_time()
        for segment in segments:
            extract_segment(segment, ExtractionMode.EVENT)
        best = min(best, time.thread_time() - began)
    return sum(len(segment.messages) for segment in segments) / best
