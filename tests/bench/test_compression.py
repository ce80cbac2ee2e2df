"""The command tells what is left, and that chance leaves less of the answers."""

import json
from pathlib import Path
from typing import Any

from bench.__main__ import main


def test_answers_survive_better_than_by_chance(tmp_path: Path, capsys: Any) -> None:
    texts = [
        "well it was so that we had been to see about the hammock for the garden and then there was a hedgehog in it",
        "and that would be the one with the striped curtains which they had been so very fond of when we were there",
        "so then it is the greenhouse that has got to go because of the new workmen who are to come over and see to it",
    ] * 6
    messages = [
        {"id": f"m{n}", "speaker": "Ana", "role": "user", "text": text, "sent_at": "2023-05-17T09:00:00Z"} for n, text in enumerate(texts)
    ]
    questions = [
        {
            "id": "q",
            "text": "What?",
            "category": "single",
            "evidence": ["m0", "m1", "m2"],
            "answer": "hammock, hedgehog, curtains, greenhouse",
        },
        {"id": "n", "text": "How many?", "category": "single", "evidence": ["m0"], "answer": 12},
    ]
    file = tmp_path / "talk.json"
    file.write_text(
        json.dumps(
            {"name": "talk", "conversations": [{"id": "c", "sessions": [{"id": "s", "messages": messages}], "questions": questions}]}
        )
    )
    assert main(["compression", "--data", str(file), "--json"]) == 0
    figures = {(one["way"], one["rate"]): one for one in json.loads(capsys.readouterr().out)["compression"]}
    assert len(figures) == 15
    entropy, chance = figures["entropy", 0.4], figures["chance", 0.4]
    assert entropy["answer_words_left"] == 100 > chance["answer_words_left"]
    assert entropy["tokens_left"] < 50
