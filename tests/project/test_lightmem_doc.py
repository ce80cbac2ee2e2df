"""docs/lightmem.md, the list by which the adapter reads a configuration, LightMem's own options and the service's settings agree."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from structmem.lightmem import OPTIONS, Fate, LightMemory, Option, service_settings

from service.configuration import load_settings
from service.settings import Settings

ROOT = Path(__file__).parents[2]
# A row of a table: an option, its fate, what it is here.
_ROW = re.compile(r"^\| `([^`]+)` \| (applied|service|not applicable) \| (.+) \|$", re.MULTILINE)
_STORE = {"collection_name", "embedding_model_dims", "client", "host", "port", "path", "url", "api_key", "on_disk"}
# What LightMem's configuration consists of: the fields of its classes, and of what its documents and defaults show of dictionaries.
LIGHTMEM: dict[str, set[str]] = {
    "": {
        "pre_compress",
        "topic_segment",
        "precomp_topic_shared",
        "messages_use",
        "metadata_generate",
        "text_summary",
        "extract_threshold",
        "index_strategy",
        "history_db_path",
        "retrieve_strategy",
        "update",
        "kv_cache",
        "kv_cache_path",
        "graph_mem",
        "version",
        "extraction_mode",
    },
    "pre_compressor.": {"model_name"},
    "pre_compressor.configs.llmlingua_config.": {"model_name", "device_map", "use_llmlingua2"},
    "pre_compressor.configs.llmlingua2_config.": {"max_batch_size", "max_force_token"},
    "pre_compressor.configs.compress_config.": {"instruction", "rate", "target_token"},
    "pre_compressor.configs.entropy_config.": {"model_name", "device", "word_level_strategy", "compress_rate", "max_length"},
    "topic_segmenter.": {"model_name"},
    "topic_segmenter.configs.": {"model_name", "device_map", "torch_dtype", "model_config", "buffer_len", "layers"},
    "memory_manager.": {"model_name"},
    "memory_manager.configs.": {
        *("model", "api_key", "max_tokens", "temperature", "top_p", "top_k", "seed", "do_sample", "stop", "reasoning_effort"),
        *("openai_base_url", "deepseek_base_url", "vllm_base_url", "ollama_base_url", "host", "site_url", "app_name"),
        *("num_gpu", "main_gpu", "gpu_memory_utilization", "trust_remote_code"),
        *("enable_vision", "vision_details", "include_topic_summary"),
    },
    "text_embedder.": {"model_name"},
    "text_embedder.configs.": {
        *("model", "api_key", "embedding_dims", "model_kwargs", "openai_base_url", "ollama_base_url", "huggingface_base_url"),
    },
    "multimodal_embedder.": {"model_name", "configs"},
    "context_retriever.": {"model_name"},
    "context_retriever.configs.": {"k1", "b", "tokenizer", "use_stemming", "lowercase", "on_disk", "index_path"},
    "embedding_retriever.": {"model_name"},
    "embedding_retriever.configs.": _STORE,
    "summary_retriever.": {"model_name"},
    "summary_retriever.configs.": _STORE,
    "logging.": {
        *("level", "format", "date_format", "console_enabled", "console_level", "file_enabled", "log_dir", "log_filename_prefix"),
        *("log_filename_format", "timestamp_format", "file_level", "file_mode", "file_encoding", "logger_levels", "suppress_loggers"),
        "force_reconfigure",
    },
}
README: dict[str, Any] = {
    "pre_compress": True,
    "pre_compressor": {
        "model_name": "llmlingua-2",
        "configs": {
            "llmlingua_config": {"model_name": "/models/llmlingua-2", "device_map": "cuda", "use_llmlingua2": True},
            "compress_config": {"instruction": "", "rate": 0.6, "target_token": -1},
        },
    },
    "topic_segment": True,
    "precomp_topic_shared": True,
    "topic_segmenter": {"model_name": "llmlingua-2"},
    "messages_use": "user_only",
    "metadata_generate": True,
    "text_summary": True,
    "memory_manager": {
        "model_name": "deepseek",
        "configs": {
            "model": "deepseek-v4-flash",
            "api_key": "sk-secret",
            "max_tokens": 16000,
            "deepseek_base_url": "https://llm.example/v1",
        },
    },
    "extract_threshold": 0.1,
    "index_strategy": "embedding",
    "text_embedder": {
        "model_name": "huggingface",
        "configs": {"model": "/models/all-MiniLM-L6-v2", "embedding_dims": 384, "model_kwargs": {"device": "cuda"}},
    },
    "retrieve_strategy": "embedding",
    "embedding_retriever": {"model_name": "qdrant", "configs": {"collection_name": "chat", "embedding_model_dims": 384, "path": "./chat"}},
    "summary_retriever": {"model_name": "qdrant", "configs": {"collection_name": "sums", "embedding_model_dims": 384, "path": "./sums"}},
    "update": "offline",
    "logging": {"level": "DEBUG", "file_enabled": True, "log_dir": "./logs"},
}


def test_every_option_of_lightmem_is_known_and_no_other() -> None:
    names = {f"{group}{name}" for group, members in LIGHTMEM.items() for name in members}
    assert {name for name in OPTIONS if "(" not in name} == names


def test_the_document_shows_each_option_once_and_as_the_adapter_reads_it() -> None:
    rows = _ROW.findall((ROOT / "docs" / "lightmem.md").read_text())
    assert Counter(name for name, _, _ in rows) == Counter(list(OPTIONS))
    assert {name: (fate, here) for name, fate, here in rows} == {o.name: (o.fate.value, o.here) for o in OPTIONS.values()}


@pytest.mark.parametrize("option", [option for option in OPTIONS.values() if "(" in option.name], ids=lambda option: option.name)
def test_an_argument_is_one_of_the_method(option: Option) -> None:
    method, argument = option.name.removesuffix(")").split("(")
    assert argument in getattr(LightMemory, method).__annotations__


def test_every_argument_of_the_methods_is_in_the_list() -> None:
    methods = {name.split("(")[0] for name in OPTIONS if "(" in name}
    taken = {f"{method}({name})" for method in methods for name in getattr(LightMemory, method).__annotations__ if name != "return"}
    assert taken == {name for name in OPTIONS if "(" in name}


def test_settings_of_the_service_are_named_by_their_names() -> None:
    for option in OPTIONS.values():
        assert (option.fate is Fate.SERVICE) == bool(option.settings), option.name
        for setting in option.settings:
            assert setting in Settings.model_fields
            assert f"`{setting}" in option.here, f"{option.name} names {setting}"


def test_the_service_takes_the_settings_that_a_configuration_becomes(tmp_path: Path) -> None:
    made = service_settings(README)
    assert made == {
        "compressor": "llmlingua2",
        "compression_rate": 0.6,
        "compressor_model": "/models/llmlingua-2",
        "segmentation": "attention+similarity",
        "messages_use": "user",
        "extractor": "llm",
        "llm_provider": "deepseek",
        "llm_model": "deepseek-v4-flash",
        "llm_api_key": "sk-secret",
        "llm_output_tokens": 16000,
        "llm_base_url": "https://llm.example/v1",
        "embedder": "minilm",
        "consolidator": "llm",
        "log_level": "debug",
    }
    assert load_settings(made | {"data_dir": tmp_path}).llm_model == "deepseek-v4-flash"


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        ({}, {}),
        ({"pre_compress": False, "pre_compressor": {"model_name": "llmlingua-2"}}, {}),
        (
            {
                "pre_compress": True,
                "pre_compressor": {"model_name": "entropy_compress", "configs": {"entropy_config": {"compress_rate": 0.1}}},
            },
            {"compressor": "entropy", "compression_rate": 0.4},
        ),
        ({"topic_segment": False, "messages_use": "assistant_only"}, {"segmentation": "none", "messages_use": "assistant"}),
        ({"topic_segmenter": {"configs": {"buffer_len": 512}}}, {"sensory_buffer_tokens": 512}),
        (
            {"memory_manager": {"model_name": "ollama", "configs": {"model": "qwen3:8b", "host": "http://localhost:11434"}}},
            {"extractor": "llm", "llm_provider": "ollama", "llm_model": "qwen3:8b", "llm_base_url": "http://localhost:11434/v1"},
        ),
        (
            {"memory_manager": {"model_name": "vllm_offline", "configs": {"model": "Qwen/Qwen3-8B", "reasoning_effort": "max"}}},
            {"extractor": "llm", "llm_provider": "vllm", "llm_model": "Qwen/Qwen3-8B", "llm_reasoning": "high"},
        ),
        (
            {"text_embedder": {"model_name": "openai", "configs": {"embedding_dims": 1536, "openai_base_url": "https://e.example/v1"}}},
            {
                "embedder": "openai",
                "embedder_model": "text-embedding-3-small",
                "embedder_dimension": 1536,
                "embedder_url": "https://e.example/v1",
            },
        ),
        ({"text_embedder": {"configs": {"model": "BAAI/bge-m3"}}}, {"embedder": "sentence-transformers", "embedder_model": "BAAI/bge-m3"}),
        ({"summary_retriever": {"configs": {"collection_name": "sums"}}}, {"consolidator": "local"}),
        ({"logging": {"level": 40}}, {"log_level": "error"}),
    ],
)
def test_configurations_become_settings(tmp_path: Path, config: dict[str, Any], settings: dict[str, Any]) -> None:
    assert service_settings(config) == settings
    load_settings(settings | {"data_dir": tmp_path})
