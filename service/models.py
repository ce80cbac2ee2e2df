"""The embedders and rerankers that the settings may choose beside the default. Imported only where one is: what they need loads slowly."""

from extract.embed.port import Embedder
from extract.embed.remote import RemoteEmbedder, RemoteEmbedding
from extract.embed.sentences import SentenceEmbedder
from extract.endpoint import EndpointSettings
from extract.rerank.cross_encoder import CrossEncoderReranker
from extract.rerank.remote import RERANK_APIS, RemoteReranker
from extract.sentence_models import ExtraMissing, ModelMissing
from graph.retrieval import Reranker
from service.errors import InvalidSettings
from service.setting_warnings import embedder_key
from service.settings import Settings


def make_chosen_embedder(settings: Settings) -> Embedder:
    """The embedder `openai` or `sentence-transformers`. Raises InvalidSettings when the extra or the model is missing."""
    if settings.embedder == "openai":
        return RemoteEmbedder(embedding_endpoint(settings), _embedding(settings))
    try:
        return SentenceEmbedder(settings.embedder_model, settings.embedder_threads)
    except ExtraMissing as error:
        raise InvalidSettings.of("embedder", str(error)) from None
    except ModelMissing as error:
        raise InvalidSettings.of("embedder_model", str(error)) from None


def make_reranker(settings: Settings) -> Reranker:
    """The reranker, other than "none". Raises InvalidSettings when the extra or the model is missing."""
    if settings.reranker != "cross-encoder":
        return RemoteReranker(RERANK_APIS[settings.reranker], reranking_endpoint(settings))
    try:
        return CrossEncoderReranker(settings.reranker_model, settings.embedder_threads)
    except ExtraMissing as error:
        raise InvalidSettings.of("reranker", str(error)) from None
    except ModelMissing as error:
        raise InvalidSettings.of("reranker_model", str(error)) from None


def _embedding(settings: Settings) -> RemoteEmbedding:
    return RemoteEmbedding(
        settings.embedder_dimension, settings.embedder_shortened, settings.embedder_batch, settings.embedder_query_timeout_s
    )


def embedding_endpoint(settings: Settings) -> EndpointSettings:
    """Where and how the embedder's API is called."""
    return EndpointSettings(
        settings.embedder_url,
        settings.embedder_model,
        embedder_key(settings),
        settings.embedder_concurrency,
        settings.embedder_timeout_s,
        settings.embedder_retries,
    )


def reranking_endpoint(settings: Settings) -> EndpointSettings:
    """Where and how the reranker's API is called."""
    return EndpointSettings(
        settings.reranker_url,
        settings.reranker_model,
        settings.reranker_api_key.get_secret_value(),
        settings.reranker_concurrency,
        settings.reranker_timeout_ms / 1000,
        retries=0,
    )
