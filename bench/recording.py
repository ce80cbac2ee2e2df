"""The facts of a data set as the recorded extractor reads them: by the namespace that holds the conversation."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.dataset import Conversation, Dataset
from bench.ingest import namespace_of


def _one_namespace(conversation: Conversation) -> Sequence[str]:
    return (namespace_of(conversation),)


@contextmanager
def recorded_facts(dataset: Dataset, namespaces: Callable[[Conversation], Sequence[str]] = _one_namespace) -> Iterator[Path]:
    """A file of the facts, there as long as the block runs. `namespaces`: all those that hold a conversation."""
    conversations = [
        {
            "id": namespace,
            "facts": [{"text": fact.text, "speaker": fact.speaker, "evidence": list(fact.evidence)} for fact in conversation.facts],
        }
        for conversation in dataset.conversations
        for namespace in namespaces(conversation)
    ]
    with tempfile.TemporaryDirectory(prefix="structmem-bench-") as directory:
        path = Path(directory) / "facts.json"
        path.write_text(json.dumps({"conversations": conversations}), encoding="utf-8")
        yield path
