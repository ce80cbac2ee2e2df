"""From LightMem's configuration to the settings of the service that do the same."""

from collections.abc import Mapping
from typing import Any

from structmem.lightmem.configuration import LightMemConfigError, read

_MANAGER = "memory_manager.configs."
_EMBEDDER = "text_embedder.configs."
_COMPRESSORS = {"llmlingua-2": "llmlingua2", "entropy_compress": "entropy"}
_MESSAGES = {"user_only": "user", "assistant_only": "assistant", "hybrid": "both"}
# A model inside of LightMem's process is served by a server of its own here.
_PROVIDERS = {"transformers": "vllm", "vllm_offline": "vllm"}
_PROVIDER_URLS = {"openai": "openai_base_url", "deepseek": "deepseek_base_url", "vllm": "vllm_base_url"}
_LEVELS: Mapping[int | str, str] = {
    **{0: "debug", 10: "debug", 20: "info", 30: "warning", 40: "error", 50: "error"},
    **{"notset": "debug", "debug": "debug", "info": "info", "warning": "warning", "error": "error", "critical": "error"},
}
_EFFORTS = ("none", "minimal", "low", "medium", "high")
_BEYOND_HIGH = ("xhigh", "max")


def service_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the service (docs/configuration.md) that do what this configuration of LightMem's asks for, keys of APIs among them.

    Raises:
        LightMemConfigError: an option or a value that is not LightMem's.
    """
    given = {name: value for name, value in read(config).values.items() if value is not None}
    settings = {**_compressor(given), **_feeding(given), **_model(given), **_embedder(given)}
    if settings.get("segmentation") == "similarity" and settings.get("compressor") == "llmlingua2" and "extractor" in settings:
        settings["segmentation"] = "attention+similarity"
    if any(name.startswith("summary_retriever.") for name in given):
        settings["consolidator"] = "llm" if "extractor" in settings else "local"
    if (level := given.get("logging.level")) is not None:
        settings["log_level"] = _level(level)
    return settings


def _compressor(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given.get("pre_compress"):
        return {}
    name = given.get("pre_compressor.model_name", "llmlingua-2")
    part = "compress_config.rate" if name == "llmlingua-2" else "entropy_config.compress_rate"
    settings: dict[str, Any] = {"compressor": _COMPRESSORS[name]}
    rate = f"pre_compressor.configs.{part}"
    if rate in given:
        settings["compression_rate"] = min(0.8, max(0.4, _number(given, rate, 0, 1)))
    model = "pre_compressor.configs.llmlingua_config.model_name"
    if name == "llmlingua-2" and model in given:
        settings["compressor_model"] = given[model]
    return settings


def _feeding(given: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if "topic_segment" in given:
        settings["segmentation"] = "similarity" if given["topic_segment"] else "none"
    buffer = "topic_segmenter.configs.buffer_len"
    if buffer in given:
        settings["sensory_buffer_tokens"] = int(_number(given, buffer, 64, 100_000))
    if "messages_use" in given:
        settings["messages_use"] = _MESSAGES[given["messages_use"]]
    return settings


def _model(given: Mapping[str, Any]) -> dict[str, Any]:
    if not any(name.startswith("memory_manager.") for name in given):
        return {}
    name = given.get("memory_manager.model_name", "openai")
    provider = _PROVIDERS.get(name, name)
    settings: dict[str, Any] = {"extractor": "llm", "llm_provider": provider}
    for option, setting in (("model", "llm_model"), ("api_key", "llm_api_key")):
        if _MANAGER + option in given:
            settings[setting] = given[_MANAGER + option]
    if _MANAGER + "reasoning_effort" in given:
        settings["llm_reasoning"] = _effort(given[_MANAGER + "reasoning_effort"])
    if _MANAGER + "max_tokens" in given:
        settings["llm_output_tokens"] = int(_number(given, _MANAGER + "max_tokens", 200, 1_000_000))
    url = _PROVIDER_URLS.get(provider, "")
    if _MANAGER + url in given:
        settings["llm_base_url"] = given[_MANAGER + url]
    for option in ("host", "ollama_base_url"):
        if provider == "ollama" and _MANAGER + option in given:
            settings["llm_base_url"] = _with_version(given[_MANAGER + option])
    return settings


def _embedder(given: Mapping[str, Any]) -> dict[str, Any]:
    if not any(name.startswith("text_embedder.") for name in given):
        return {}
    model = given.get(_EMBEDDER + "model", "")
    urls = [_EMBEDDER + name for name in ("openai_base_url", "huggingface_base_url", "ollama_base_url") if given.get(_EMBEDDER + name)]
    if given.get("text_embedder.model_name") != "openai" and not urls:
        if not model or str(model).rstrip("/").lower().endswith("all-minilm-l6-v2"):
            return {"embedder": "minilm"}
        return {"embedder": "sentence-transformers", "embedder_model": model}
    settings: dict[str, Any] = {"embedder": "openai", "embedder_model": model or "text-embedding-3-small"}
    if urls:
        settings["embedder_url"] = _with_version(given[urls[0]]) if "ollama" in urls[0] else given[urls[0]]
    if _EMBEDDER + "api_key" in given:
        settings["embedder_api_key"] = given[_EMBEDDER + "api_key"]
    if _EMBEDDER + "embedding_dims" in given:
        settings["embedder_dimension"] = int(_number(given, _EMBEDDER + "embedding_dims", 1, 8192))
    return settings


def _with_version(url: str) -> str:
    """The URL of Ollama's OpenAI-compatible API, from that of its own."""
    plain = url.rstrip("/")
    return plain if plain.endswith("/v1") else f"{plain}/v1"


def _number(given: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = given[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise LightMemConfigError(((name, f"must be a number from {least:g} to {most:,g}; it is {value!r}"),))
    return value


def _level(level: Any) -> str:
    key = level.lower() if isinstance(level, str) else level
    if isinstance(key, bool) or key not in _LEVELS:
        raise LightMemConfigError((("logging.level", f"must be a level of Python's logging; it is {level!r}"),))
    return _LEVELS[key]


def _effort(effort: Any) -> str:
    if effort in _BEYOND_HIGH:
        return "high"
    if effort not in _EFFORTS:
        raise LightMemConfigError(((_MANAGER + "reasoning_effort", f"must be one of {', '.join(_EFFORTS)}; it is {effort!r}"),))
    return str(effort)
