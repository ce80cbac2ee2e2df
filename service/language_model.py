"""The language model that the settings choose. Imported only where one is chosen: the openai package takes a second to load."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from extract.llm.chat import Chat
from extract.llm.endpoint import Endpoint, EndpointSettings
from extract.llm.exchanges import RecordingChat, ReplayedChat
from extract.llm.extractor import LlmSettings, llm_extractors
from extract.llm.providers import PROVIDERS, Output, Provider
from extract.port import Extractor
from graph.errors import InvalidArgument
from graph.model import ExtractionMode
from service.errors import InvalidSettings
from service.settings import Settings

_log = structlog.get_logger(__name__)


def make_llm_extractors(settings: Settings) -> Mapping[ExtractionMode, Extractor] | None:
    """The llm extractor of each mode; None, with a line in the log, where its provider wants a key and there is none.

    Raises:
        InvalidSettings: a file of exchanges cannot be used.
    """
    provider = PROVIDERS[settings.llm_provider]
    chat = _chat(settings, provider)
    if chat is None:
        variable = key_variable(settings, provider)
        _log.warning("no key for the language model: the local extractor works instead", provider=provider.name, variable=variable)
        return None
    spec = LlmSettings(provider.name, settings.llm_model, settings.llm_input_tokens, settings.llm_output_tokens, settings.llm_reasoning)
    return llm_extractors(chat, spec)


def key_variable(settings: Settings, provider: Provider) -> str:
    """The environment variable that holds the key."""
    return settings.llm_key_variable or provider.key_variable


def _chat(settings: Settings, provider: Provider) -> Chat | None:
    if settings.llm_replay is not None:
        return _opened("llm_replay", settings.llm_replay, ReplayedChat)
    key = settings.llm_api_key.get_secret_value() or os.environ.get(key_variable(settings, provider), "")
    if not key and (provider.needs_key or settings.llm_key_variable):
        return None
    calls = EndpointSettings(
        concurrency=settings.llm_concurrency,
        timeout_s=settings.llm_timeout_s,
        retries=settings.llm_retries,
        reasoning=settings.llm_reasoning,
        output=Output(settings.llm_output) if settings.llm_output else None,
    )
    endpoint = Endpoint(provider, settings.llm_base_url, key, calls)
    if settings.llm_record is None:
        return endpoint
    return _opened("llm_record", settings.llm_record, lambda path: RecordingChat(endpoint, path))


def _opened(name: str, path: Path, open_file: Callable[[Path], Chat]) -> Chat:
    try:
        return open_file(path)
    except OSError as error:
        raise InvalidSettings.of(name, f"{path} cannot be used ({error.strerror})") from None
    except InvalidArgument as error:
        raise InvalidSettings.of(name, f"{path}: {error}") from None
