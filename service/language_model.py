"""The language model that the settings choose. Imported only where one is chosen: the openai package takes a second to load."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from extract.compress import Compressor, EntropyCompressor
from extract.consolidate.llm.consolidator import LlmConsolidator
from extract.consolidate.port import Consolidator
from extract.endpoint import EndpointSettings
from extract.llm.answering import Answerer
from extract.llm.chat import Chat
from extract.llm.endpoint import Endpoint
from extract.llm.exchanges import RecordingChat, ReplayedChat
from extract.llm.extractor import llm_extractors
from extract.llm.providers import PROVIDERS, Output, Provider
from extract.llm.settings import LlmSettings
from extract.port import Extractor
from extract.segment import Segmentation
from extract.sentence_models import ExtraMissing, ModelMissing
from graph.errors import InvalidArgument
from graph.model import ExtractionMode
from service.errors import InvalidSettings
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A language model, which extracts, consolidates and answers over the same connections.

    `chat` may record its exchanges; `endpoint` never does, and is None where they are replayed.
    """

    chat: Chat
    endpoint: Endpoint | None
    spec: LlmSettings

    def extractors(self, settings: Settings) -> Mapping[ExtractionMode, Extractor]:
        """The llm extractor of each mode. Raises InvalidSettings when the compressor cannot be used."""
        return llm_extractors(self.chat, self.spec, make_compressor(settings))

    def consolidator(self) -> Consolidator:
        """The llm consolidator."""
        return LlmConsolidator(self.chat, self.spec)

    def answerer(self) -> Answerer | None:
        """What answers questions; None where there is nobody to ask."""
        return Answerer(self.endpoint, self.spec) if self.endpoint else None


def make_language_model(settings: Settings) -> LanguageModel | None:
    """The language model; None where its provider wants a key and there is none.

    Raises:
        InvalidSettings: a file of exchanges cannot be used.
    """
    if lacks_key(settings):
        return None
    provider = provider_of(settings)
    spec = LlmSettings(provider.name, settings.llm_model, settings.llm_input_tokens, settings.llm_output_tokens, settings.llm_reasoning)
    if settings.llm_replay is not None:
        return LanguageModel(_opened("llm_replay", settings.llm_replay, ReplayedChat), None, spec)
    endpoint = _endpoint(settings, provider)
    return LanguageModel(_recorded(settings, endpoint), endpoint, spec)


def provider_of(settings: Settings) -> Provider:
    """The row of the provider that the settings name."""
    return PROVIDERS[settings.llm_provider]


def lacks_key(settings: Settings) -> bool:
    """Whether a key is wanted, by the provider or by who named a variable for it, and there is none."""
    provider = provider_of(settings)
    wanted = provider.needs_key or bool(settings.llm_key_variable)
    return wanted and settings.llm_replay is None and not _key(settings, provider)


def _key(settings: Settings, provider: Provider) -> str:
    return settings.llm_api_key.get_secret_value() or os.environ.get(key_variable(settings, provider), "")


def key_variable(settings: Settings, provider: Provider) -> str:
    """The environment variable that holds the key."""
    return settings.llm_key_variable or provider.key_variable


def _endpoint(settings: Settings, provider: Provider) -> Endpoint:
    api = EndpointSettings(
        settings.llm_base_url,
        key=_key(settings, provider),
        concurrency=settings.llm_concurrency,
        timeout_s=settings.llm_timeout_s,
        retries=settings.llm_retries,
    )
    return Endpoint(provider, api, settings.llm_reasoning, Output(settings.llm_output) if settings.llm_output else None)


def _recorded(settings: Settings, endpoint: Endpoint) -> Chat:
    if settings.llm_record is None or "llm" not in (settings.extractor, settings.consolidator):
        return endpoint
    return _opened("llm_record", settings.llm_record, lambda path: RecordingChat(endpoint, path))


def make_compressor(settings: Settings) -> Compressor | None:
    """What leaves words out of prompts; None for "none". Raises InvalidSettings when its extra or its model is missing."""
    match settings.compressor:
        case "none":
            return None
        case "entropy":
            return EntropyCompressor(settings.compression_rate)
        case "llmlingua2":
            from extract.compress.llmlingua import LlmLinguaCompressor

            try:
                attention = Segmentation(settings.segmentation) is Segmentation.ATTENTION_AND_SIMILARITY
                return LlmLinguaCompressor(settings.compressor_model, settings.compression_rate, settings.embedder_threads, attention)
            except ExtraMissing as error:
                raise InvalidSettings.of("compressor", str(error)) from None
            except ModelMissing as error:
                raise InvalidSettings.of("compressor_model", str(error)) from None


def _opened(name: str, path: Path, open_file: Callable[[Path], Chat]) -> Chat:
    try:
        return open_file(path)
    except OSError as error:
        raise InvalidSettings.of(name, f"{path} cannot be used ({error.strerror})") from None
    except InvalidArgument as error:
        raise InvalidSettings.of(name, f"{path}: {error}") from None
