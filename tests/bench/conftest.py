import json
from pathlib import Path
from typing import Any

import pytest

CHATS: dict[str, Any] = {
    "name": "two-gardens",
    "conversations": [
        {
            "id": "garden",
            "sessions": [
                {
                    "id": "spring",
                    "messages": [
                        {
                            "id": "g1",
                            "speaker": "Ines",
                            "role": "user",
                            "text": "Hi Tomas! I planted a lemon tree.",
                            "sent_at": "2024-03-05T18:30:00",
                        },
                        {
                            "id": "g2",
                            "speaker": "Tomas",
                            "role": "user",
                            "text": "Lovely. I sold my old cello.",
                            "sent_at": "2024-03-05T18:31:00",
                        },
                        {"id": "g3", "speaker": "Ines", "role": "user", "text": "Who bought the cello?", "sent_at": "2024-03-05T18:32:00"},
                    ],
                },
                {
                    "id": "summer",
                    "messages": [
                        {
                            "id": "g4",
                            "speaker": "Tomas",
                            "role": "user",
                            "text": "My sister Ruth bought it.",
                            "sent_at": "2024-07-01T09:00:00Z",
                        },
                        {
                            "id": "g5",
                            "speaker": "Ines",
                            "role": "user",
                            "text": "Look at this!",
                            "sent_at": "2024-07-01T11:00:00+02:00",
                            "image_caption": "a lemon tree in bloom",
                        },
                    ],
                },
            ],
            "questions": [
                {"id": "q1", "text": "What did Ines plant?", "category": "single", "answer": "a lemon tree", "evidence": ["g1", "g5"]},
                {"id": "q2", "text": "Who bought Tomas' cello?", "category": "multi", "answer": "Ruth", "evidence": ["g2", "g4"]},
                {"id": "q3", "text": "What colour is the cello?", "category": "single", "answer": "", "evidence": []},
                {"id": "q4", "text": "What did Tomas plant?", "category": "adversarial", "answer": "", "evidence": ["g1"]},
                {"id": "q5", "text": "What was sold?", "category": "single", "answer": "", "evidence": ["g2"], "suspect": "unclear"},
            ],
            "facts": [{"text": "Ines planted a lemon tree.", "speaker": "Ines", "evidence": ["g1"]}],
        },
        {
            "id": "kitchen 2",
            "sessions": [
                {
                    "id": "one",
                    "messages": [
                        {
                            "id": "g1",
                            "speaker": "Ruth",
                            "role": "user",
                            "text": "I bake bread every Sunday.",
                            "sent_at": "2024-01-07T08:00:00",
                        },
                        {"id": "k2", "speaker": "bot", "role": "assistant", "text": "Rye or wheat?", "sent_at": "2024-01-07T08:01:00"},
                    ],
                }
            ],
            "questions": [{"id": "q1", "text": "What does Ruth bake?", "category": "single", "answer": "bread", "evidence": ["g1"]}],
        },
    ],
}


@pytest.fixture
def chats() -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(CHATS))
    return copy


@pytest.fixture
def chats_file(tmp_path: Path, chats: dict[str, Any]) -> Path:
    path = tmp_path / "chats.json"
    path.write_text(json.dumps(chats))
    return path
