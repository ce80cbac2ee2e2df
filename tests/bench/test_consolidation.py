"""The figures of `bench consolidation`: pairs of sessions that share a thread."""

from datetime import UTC, datetime

from bench.consolidation import pairs_together
from bench.dataset import ChatMessage, ChatSession, Conversation, Question


def test_pairs_are_counted_by_the_threads_that_sessions_share() -> None:
    now = datetime(2024, 3, 4, tzinfo=UTC)
    sessions = tuple(ChatSession(name, (ChatMessage(f"{name}:1", "Ines", "user", "x", now),)) for name in "abcd")
    asked = Question("1", "x", "y", ("a:1", "b:1", "c:1"), session="c")
    pairs = pairs_together(
        Conversation("one", sessions, (asked,)),
        {"w1": "a", "w2": "b", "w3": "c"},
        {"thread 1": ("w1", "w3"), "thread 2": ("w2",)},
    )
    assert pairs == {"evidence_pairs": 2, "evidence_together": 1, "any_pairs": 6, "any_together": 1}
