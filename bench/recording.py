"""The facts of a data set as the recorded extractor reads them: by the namespace that holds the conversation."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.dataset import Dataset
from bench.ingest import namespace_of


@contextmanager
def recorded_facts(dataset: Dataset) -> Iterator[Path]:
    """A file of the facts, there as long as the block runs."""
    conversations = [
        {
            "id": namespace_of(conversation),
            "facts": [{"text": fact.text, "speaker": fact.speaker, "evidence": list(fact.evidence)} for fact in conversation.facts],
        }
        for conversation in dataset.conversations
    ]
    with tempfile.TemporaryDirectory(prefix="structmem-bench-") as directory:
        path = Path(directory) / "facts.json"
        path.write_text(json.dumps({"conversations": conversations}), encoding="utf-8")
        yield path
