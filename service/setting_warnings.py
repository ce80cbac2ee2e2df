"""What is the matter with settings that are valid: keys that nobody has given, and choices that do nothing. Said at start and by doctor."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.settings import OPENAI_URL, Settings

# Hosts that refuse every call without a key. Whoever else wants one can only be found out by a call.
_KEYED_HOSTS = frozenset(
    {
        "api.openai.com",
        "api.cohere.com",
        "api.cohere.ai",
        "api.deepseek.com",
        "api.jina.ai",
        "api.mistral.ai",
        "api.together.xyz",
        "api.voyageai.com",
        "openrouter.ai",
    }
)


def embedder_key(settings: Settings) -> str:
    """The key of the embedder's API; "" for none. Nobody but OpenAI is to see OpenAI's own."""
    given = settings.embedder_api_key.get_secret_value()
    return given if given or settings.embedder_url != OPENAI_URL else os.environ.get("OPENAI_API_KEY", "")


@dataclass(frozen=True, slots=True)
class SettingWarning:
    """What a setting keeps the service from, in a sentence."""

    setting: str
    message: str

    def __str__(self) -> str:
        return f"{self.setting}: {self.message}"


def setting_warnings(settings: Settings) -> tuple[SettingWarning, ...]:
    """For each key that is missing: which setting gives it, who wants it, and what happens without it; for a choice without effect, why."""
    told: list[SettingWarning] = []
    if settings.compressor != "none" and settings.extractor != "llm":
        told.append(SettingWarning("compressor", f"only prompts are compressed, and the extractor {settings.extractor} asks no model"))
    if settings.embedder == "openai" and not embedder_key(settings) and (host := _keyed(settings.embedder_url)):
        without = "jobs fail and queries go on without vectors"
        told.append(SettingWarning("embedder_api_key", f"{host} wants a key and there is none; until there is, {without}"))
    if settings.reranker in ("rerank", "score") and not settings.reranker_api_key.get_secret_value():
        host = _keyed(settings.reranker_url)
        wanted = f"{host} wants a key and there is none; until there is, nothing is reranked"
        told += [SettingWarning("reranker_api_key", wanted)] if host else []
    if settings.llm_model:
        told += _of_the_language_model(settings)
    return tuple(told)


def _keyed(url: str) -> str:
    """The host of a URL if it refuses calls without a key, else nothing."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        # An address that is none is told of when it is used.
        return ""
    return host if host in _KEYED_HOSTS else ""


def _of_the_language_model(settings: Settings) -> list[SettingWarning]:
    # Imported only where one is chosen: the openai package takes a second to load.
    from service.language_model import key_variable, lacks_key, provider_of

    if not lacks_key(settings):
        return []
    provider = provider_of(settings)
    variable = key_variable(settings, provider)
    nowhere = f"there is none, nor in {variable}" if variable else "there is none"
    instead = {"extractor": settings.extractor, "consolidator": settings.consolidator}
    working = " and ".join(f"the local {who}" for who, chosen in instead.items() if chosen == "llm")
    works = f"{working} {'work' if ' and ' in working else 'works'}" if working else "no question is answered"
    return [SettingWarning("llm_api_key", f"{provider.name} wants a key and {nowhere}; until there is, {works}")]
