"""Messages as people write them, and what the rules make of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from extract.local.extractor import extract_segment
from extract.port import Extraction, Segment
from graph.model import ExtractionMode, Message, Role

SAID = datetime(2023, 5, 17, 14, 30, tzinfo=UTC)
Extract = Callable[..., Extraction]


def conversation(*lines: tuple[str, str] | tuple[str, str, str]) -> tuple[Message, ...]:
    """Messages of (speaker, text, image caption); "assistant" has the role of one."""
    messages = []
    for number, (speaker, text, *caption) in enumerate(lines):
        role = Role.ASSISTANT if speaker == "assistant" else Role.USER
        sent_at = SAID + timedelta(minutes=number)
        messages.append(Message(f"msg_{number}", "chat", number + 1, speaker, role, text, sent_at, sent_at, image_caption="".join(caption)))
    return tuple(messages)


@pytest.fixture
def extract() -> Extract:
    """Lines to what is extracted; the first `context` of them are context."""

    def run(*lines: tuple[str, str] | tuple[str, str, str], mode: ExtractionMode = ExtractionMode.EVENT, context: int = 0) -> Extraction:
        messages = conversation(*lines)
        return extract_segment(Segment("n", "chat", messages[:context], messages[context:], UTC), mode)

    return run
