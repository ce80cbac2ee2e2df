"""The embedder by itself: how fast it is on the texts that the server embedded, with nothing else at work."""

import time
from dataclasses import dataclass

from structmem.v1 import memory_service_pb2

from bench.connection import DEADLINE_S, Connection
from bench.dataset import ChatMessage, Dataset
from bench.ingest import namespace_of
from extract.embed import Embedder, MiniLmEmbedder
from graph.model import Message, Role
from graph.text import index_message
from service.settings import Settings

PAGE = 500


@dataclass(frozen=True, slots=True)
class EmbeddingSpeed:
    """How many texts were embedded, and how fast."""

    texts: int
    texts_per_s: float


def load_embedder() -> Embedder:
    """The embedder that the server runs by default, with its default settings."""
    return MiniLmEmbedder(Settings.model_fields["embedder_threads"].default)


async def texts_of(connection: Connection, dataset: Dataset) -> list[str]:
    """Every text of the conversations that has a vector of its own: the passages of messages, facts and relations."""
    texts = [passage.text for c in dataset.conversations for message in c.messages for passage in index_message(_message(message)).passages]
    for conversation in dataset.conversations:
        request = memory_service_pb2.ListStatementsRequest(namespace=namespace_of(conversation), page_size=PAGE)
        while True:
            page = await connection.memory.ListStatements(request, timeout=DEADLINE_S)
            texts.extend(statement.text for statement in page.statements)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    return texts


async def measure_embedding(embedder: Embedder, texts: list[str]) -> EmbeddingSpeed:
    """Embeds the texts once."""
    await embedder.embed(texts[:64])  # the first call pays for what is set up lazily
    began = time.perf_counter()
    await embedder.embed(texts)
    return EmbeddingSpeed(len(texts), len(texts) / (time.perf_counter() - began))


def _message(message: ChatMessage) -> Message:
    role = Role[message.role.upper()]
    return Message("", "", 0, message.speaker, role, message.text, message.sent_at, message.sent_at, image_caption=message.image_caption)
