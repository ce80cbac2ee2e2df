"""Every option of LightMem's configuration and every argument of its methods, and what becomes of each here.

The adapter reads a configuration by this table, and docs/lightmem.md shows it: a test holds the two together. The names are those of
LightMem's `BaseMemoryConfigs`, and of what its parts take, in 2026 (https://github.com/zjunlp/LightMem).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What becomes of an option."""

    APPLIED = "applied"  # the adapter does it
    SERVICE = "service"  # a setting of the service does it: `service_settings` writes it down
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        name: its path in the configuration, such as "memory_manager.configs.model"; of an argument `method(argument)`.
        fate: what becomes of it.
        here: what it is here: what the adapter does, the setting's name, or why there is nothing to set.
        settings: the settings of the service that say the same.
        allowed: the only values that LightMem takes; empty: any.
        quiet: values by which nothing is asked for that is not so anyway: no warning.
        is_free: a dictionary of the reader's own, whose keys are not options.
    """

    name: str
    fate: Fate
    here: str
    settings: tuple[str, ...] = ()
    allowed: tuple[Any, ...] = ()
    quiet: tuple[Any, ...] = ()
    is_free: bool = False


def _applied(name: str, here: str, **more: Any) -> Option:
    return Option(name, Fate.APPLIED, here, **more)


def _service(name: str, here: str, *settings: str, **more: Any) -> Option:
    return Option(name, Fate.SERVICE, here, settings, **more)


def _none(name: str, here: str, **more: Any) -> Option:
    return Option(name, Fate.NOT_APPLICABLE, here, **more)


_STORE = "the service keeps everything in its own store (`data_dir`, or Neo4j), and this client only calls it"
_SAMPLING = "temperature 0 where the provider takes one; answers are held to a schema"
_TOPICS = "the compressor's model tells topics, see `topic_segment`"
_RATE = "`compression_rate`, .4 to .8; beyond these the nearest, since below them answers lose their words"
_IMAGES = "images are not read; a message carries an image's caption, which is stored and searched"
_SUMMARIES = "summaries stand in the same namespace as what they tell of"
_CALLER = "no provider is told who calls"
_CACHE = "the cache is that of the model's server; `build_context(profile=True)` keeps the beginning of a prompt the same for it"
_PLACE = "where the model runs is a matter of its server: vLLM, Ollama or another OpenAI-compatible one"
_BM25 = "the formula and its numbers belong to the recipes, which were measured"
_LOGS = "the service writes its log to standard error, as `log_format` says; this client configures no logging"

CONFIGURATION: tuple[Option, ...] = (
    _service("pre_compress", "`compressor`, which is `none` by default", "compressor", allowed=(True, False, None), quiet=(False, None)),
    _service(
        "pre_compressor.model_name",
        "`compressor`: `llmlingua2` or `entropy`. Only prompts are compressed, never what is stored",
        "compressor",
        allowed=("llmlingua-2", "entropy_compress"),
    ),
    _service("pre_compressor.configs.llmlingua_config.model_name", "`compressor_model`", "compressor_model"),
    _none(
        "pre_compressor.configs.llmlingua_config.device_map",
        "the compressor runs on the processor of the service",
        quiet=("cpu",),
    ),
    _none(
        "pre_compressor.configs.llmlingua_config.use_llmlingua2",
        "LLMLingua's older forms, which need a causal model of billions of weights, are not offered",
        quiet=(True,),
    ),
    _none("pre_compressor.configs.llmlingua2_config.max_batch_size", "the service chooses it"),
    _none(
        "pre_compressor.configs.llmlingua2_config.max_force_token",
        "names, numbers, dates and negations always stay, however many there are",
    ),
    _service(
        "pre_compressor.configs.compress_config.rate",
        _RATE,
        "compression_rate",
    ),
    _none("pre_compressor.configs.compress_config.instruction", "LLMLingua-2 does not read it", quiet=("", None)),
    _none("pre_compressor.configs.compress_config.target_token", "a share is asked for, not a number of tokens", quiet=(-1, None)),
    _none(
        "pre_compressor.configs.entropy_config.model_name",
        "self-information comes from word frequencies, without a model",
    ),
    _none("pre_compressor.configs.entropy_config.device", "there is no model to place", quiet=("cpu",)),
    _none("pre_compressor.configs.entropy_config.word_level_strategy", "words are measured whole, not by their pieces"),
    _service("pre_compressor.configs.entropy_config.compress_rate", _RATE, "compression_rate"),
    _none("pre_compressor.configs.entropy_config.max_length", "texts of any length are read"),
    _service(
        "topic_segment",
        "`segmentation`: `attention+similarity` where LLMLingua-2 compresses for a language model, else `similarity`; `none` for False",
        "segmentation",
        allowed=(True, False, None),
        quiet=(True, None),
    ),
    _none(
        "precomp_topic_shared",
        "the pass that parts turns is always the one that compresses them",
        allowed=(True, False, None),
        quiet=(True, False, None),
    ),
    _none(
        "topic_segmenter.model_name",
        _TOPICS,
        allowed=("llmlingua-2",),
    ),
    _none("topic_segmenter.configs.model_name", _TOPICS),
    _none("topic_segmenter.configs.device_map", _TOPICS),
    _none("topic_segmenter.configs.torch_dtype", _TOPICS),
    _none("topic_segmenter.configs.model_config", _TOPICS, is_free=True),
    _service(
        "topic_segmenter.configs.buffer_len",
        "`sensory_buffer_tokens`: tokens of messages, about, that one call of a language model reads; a segment ends at as many",
        "sensory_buffer_tokens",
    ),
    _none("topic_segmenter.configs.layers", "the last four, which are LightMem's own", quiet=([8, 9, 10, 11], None)),
    _service(
        "messages_use",
        "`messages_use`: `user`, `assistant` or `both` (the default; LightMem's is user_only). All messages are stored and searched",
        "messages_use",
        allowed=("user_only", "assistant_only", "hybrid"),
        quiet=("hybrid",),
    ),
    _applied(
        "metadata_generate",
        "False: the namespace's `extraction_mode` is OFF: messages are stored and searched, nothing is extracted",
        allowed=(True, False, None),
    ),
    _applied(
        "text_summary",
        "False: the namespace's `extraction_mode` is OFF, too. The original text is kept in any case",
        allowed=(True, False, None),
    ),
    _service(
        "memory_manager.model_name",
        "`extractor = llm` and `llm_provider`; for transformers and vllm_offline a server of vLLM, as no model runs inside of the service",
        "extractor",
        "llm_provider",
        allowed=("openai", "deepseek", "ollama", "vllm", "transformers", "vllm_offline"),
    ),
    _service("memory_manager.configs.model", "`llm_model`", "llm_model"),
    _service("memory_manager.configs.api_key", "`llm_api_key`, or the variable that `llm_key_variable` names", "llm_api_key"),
    _service("memory_manager.configs.max_tokens", "`llm_output_tokens`", "llm_output_tokens"),
    _service("memory_manager.configs.openai_base_url", "`llm_base_url`", "llm_base_url"),
    _service("memory_manager.configs.deepseek_base_url", "`llm_base_url`", "llm_base_url"),
    _service("memory_manager.configs.vllm_base_url", "`llm_base_url`", "llm_base_url"),
    _service("memory_manager.configs.ollama_base_url", "`llm_base_url`, with /v1 at its end", "llm_base_url"),
    _service("memory_manager.configs.host", "`llm_base_url` of Ollama, with /v1 at its end", "llm_base_url"),
    _service("memory_manager.configs.reasoning_effort", "`llm_reasoning`; what is beyond high is high", "llm_reasoning"),
    _none("memory_manager.configs.temperature", _SAMPLING),
    _none("memory_manager.configs.top_p", _SAMPLING),
    _none("memory_manager.configs.top_k", _SAMPLING),
    _none("memory_manager.configs.seed", _SAMPLING),
    _none("memory_manager.configs.do_sample", _SAMPLING, quiet=(False,)),
    _none("memory_manager.configs.stop", _SAMPLING, quiet=([], None)),
    _none("memory_manager.configs.include_topic_summary", "an event has a title in any case", quiet=(False,)),
    _none("memory_manager.configs.enable_vision", _IMAGES, quiet=(False,)),
    _none("memory_manager.configs.vision_details", _IMAGES, quiet=("auto", None)),
    _none("memory_manager.configs.site_url", _CALLER),
    _none("memory_manager.configs.app_name", _CALLER),
    _none("memory_manager.configs.num_gpu", _PLACE),
    _none("memory_manager.configs.main_gpu", _PLACE),
    _none("memory_manager.configs.gpu_memory_utilization", _PLACE),
    _none("memory_manager.configs.trust_remote_code", _PLACE),
    _none(
        "extract_threshold",
        "nothing is dropped for its importance: a statement has a `confidence`, and a query may ask for a `min_relevance`",
    ),
    _none(
        "index_strategy",
        "every message, fact and relation is indexed by its words and by its vector",
        allowed=("embedding", "context", "hybrid", None),
        quiet=("hybrid", None),
    ),
    _service(
        "text_embedder.model_name",
        "`embedder`: `minilm` (in the package) for all-MiniLM-L6-v2, else `sentence-transformers`; or `openai`",
        "embedder",
        allowed=("huggingface", "openai"),
    ),
    _service("text_embedder.configs.model", "`embedder_model`", "embedder_model"),
    _service("text_embedder.configs.api_key", "`embedder_api_key`", "embedder_api_key"),
    _service(
        "text_embedder.configs.embedding_dims", "`embedder_dimension`, which an API needs; other models know it", "embedder_dimension"
    ),
    _service("text_embedder.configs.openai_base_url", "`embedder_url`", "embedder_url"),
    _service(
        "text_embedder.configs.ollama_base_url", "`embedder_url`, with /v1 at its end, and `embedder = openai`", "embedder_url", "embedder"
    ),
    _service("text_embedder.configs.huggingface_base_url", "`embedder_url`, and `embedder = openai`", "embedder_url", "embedder"),
    _none("text_embedder.configs.model_kwargs", "the embedder runs on the processor of the service", is_free=True, quiet=({},)),
    _none("multimodal_embedder.model_name", _IMAGES),
    _none("multimodal_embedder.configs", _IMAGES, is_free=True, quiet=({},)),
    _none("history_db_path", _STORE),
    _applied(
        "retrieve_strategy",
        "the recipe of queries. All of its values ask by words, vectors, dates and the graph together (`hybrid`), which finds more; "
        "`from_config(…, recipe=…)` takes `dense` or `lexical`",
        allowed=("embedding", "context", "hybrid", None),
    ),
    _none("context_retriever.model_name", "the lexical channel is BM25 in any case", allowed=("BM25",), quiet=("BM25",)),
    _none("context_retriever.configs.k1", _BM25),
    _none("context_retriever.configs.b", _BM25),
    _none("context_retriever.configs.tokenizer", "one analyser reads messages and queries", quiet=(None,)),
    _none("context_retriever.configs.use_stemming", "words are always stemmed", quiet=(True,)),
    _none("context_retriever.configs.lowercase", "case never counts", quiet=(True,)),
    _none("context_retriever.configs.on_disk", _STORE, quiet=(True,)),
    _none("context_retriever.configs.index_path", _STORE),
    _none("embedding_retriever.model_name", _STORE, allowed=("qdrant",)),
    _applied(
        "embedding_retriever.configs.collection_name",
        "the namespace, unless `from_config(…, namespace=…)` names it; `lightmem` where there is neither",
    ),
    _none("embedding_retriever.configs.embedding_model_dims", "the namespace's model knows it"),
    _none("embedding_retriever.configs.client", _STORE, quiet=(None,)),
    _none("embedding_retriever.configs.host", _STORE, quiet=(None,)),
    _none("embedding_retriever.configs.port", _STORE, quiet=(None,)),
    _none("embedding_retriever.configs.path", _STORE, quiet=(None,)),
    _none("embedding_retriever.configs.url", _STORE, quiet=(None,)),
    _none("embedding_retriever.configs.api_key", _STORE, quiet=(None,)),
    _none(
        "embedding_retriever.configs.on_disk",
        "memory is always kept; LightMem empties it at each start unless this is True. `client.delete_namespace` begins anew",
        quiet=(True,),
    ),
    _service(
        "summary_retriever.model_name",
        "`consolidator`: `llm` where there is a `memory_manager`, else `local`, the default; summaries stand in the same namespace",
        "consolidator",
        allowed=("qdrant",),
        quiet=("qdrant",),
    ),
    _none("summary_retriever.configs.collection_name", _SUMMARIES),
    _none("summary_retriever.configs.embedding_model_dims", _SUMMARIES),
    _none("summary_retriever.configs.client", _SUMMARIES, quiet=(None,)),
    _none("summary_retriever.configs.host", _SUMMARIES, quiet=(None,)),
    _none("summary_retriever.configs.port", _SUMMARIES, quiet=(None,)),
    _none("summary_retriever.configs.path", _SUMMARIES, quiet=(None,)),
    _none("summary_retriever.configs.url", _SUMMARIES, quiet=(None,)),
    _none("summary_retriever.configs.api_key", _SUMMARIES, quiet=(None,)),
    _none("summary_retriever.configs.on_disk", _SUMMARIES, quiet=(True,)),
    _none(
        "update",
        "messages are stored at once and extracted in the background, whatever it says (LightMem's `online` stores nothing)",
        allowed=("online", "offline", None),
        quiet=("offline", None),
    ),
    _none(
        "kv_cache",
        _CACHE,
        allowed=(True, False, None),
        quiet=(False, None),
    ),
    _none("kv_cache_path", _CACHE),
    _none("graph_mem", "memories are always a graph", allowed=(True, False, None), quiet=(True, False, None)),
    _none("version", "the contract has its own version, `structmem.v1`", quiet=("v1.1", None)),
    _applied(
        "extraction_mode",
        "the namespace's `extraction_mode`, FLAT (LightMem's default) or EVENT, when it is created",
        allowed=("flat", "event", None),
    ),
    _service("logging.level", "`log_level`", "log_level"),
    _none("logging.format", _LOGS),
    _none("logging.date_format", _LOGS),
    _none("logging.console_enabled", _LOGS, quiet=(True,)),
    _none("logging.console_level", _LOGS),
    _none("logging.file_enabled", _LOGS, quiet=(False,)),
    _none("logging.log_dir", _LOGS, quiet=(None,)),
    _none("logging.log_filename_prefix", _LOGS),
    _none("logging.log_filename_format", _LOGS),
    _none("logging.timestamp_format", _LOGS),
    _none("logging.file_level", _LOGS),
    _none("logging.file_mode", _LOGS),
    _none("logging.file_encoding", _LOGS),
    _none("logging.logger_levels", _LOGS, is_free=True, quiet=(None, {})),
    _none("logging.suppress_loggers", _LOGS, quiet=(None, [])),
    _none("logging.force_reconfigure", _LOGS, quiet=(False,)),
)

_SIMILARITY = "nothing is rewritten or deleted because it is similar to something: what was said stays, with its date"

ARGUMENTS: tuple[Option, ...] = (
    _applied(
        "add_memory(messages)",
        "one or a list: `role`, `content`, `time_stamp`, `speaker_name`, `speaker_id`, `external_id`; further plain values are labels",
    ),
    _none(
        "add_memory(METADATA_GENERATE_PROMPT)",
        "prompts are the service's; what matters in your conversations goes into the namespace's profile (`instructions`)",
    ),
    _applied("add_memory(force_segment)", "a flush: the segment ends here and is extracted in the background"),
    _applied("add_memory(force_extract)", "a flush, and the call waits until everything it stored is extracted"),
    _applied("add_memory(boundmem_tags)", "labels of the messages, `tag:NAME`"),
    _none("construct_update_queue_all_entries(top_k)", _SIMILARITY),
    _none("construct_update_queue_all_entries(keep_top_n)", _SIMILARITY),
    _none("construct_update_queue_all_entries(max_workers)", "the service's `workers` decides"),
    _none("offline_update_all_entries(score_threshold)", _SIMILARITY),
    _none("offline_update_all_entries(max_workers)", "the service's `workers` decides"),
    _none("summarize(SUMMARY_PROMPT)", "prompts are the service's"),
    _service(
        "summarize(time_window)",
        "`consolidation_window`: `hour` (of the events' time) or `session`",
        "consolidation_window",
        quiet=(3600,),
    ),
    _applied("summarize(process_all)", "the form of the answer: every summary, or the last. All that waits is summarized in either case"),
    _none("summarize(enable_cross_event)", "similar earlier events are always read along", quiet=(True,)),
    _none("summarize(retrieval_scope)", "earlier events alone are read along, which LightMem calls historical", quiet=("historical",)),
    _none("summarize(top_k_seeds)", "fifteen at most are", quiet=(15,)),
    _applied("retrieve(query)", "the query"),
    _applied("retrieve(limit)", "`k`, at most 1,000"),
    _applied(
        "retrieve(filters)",
        "`speaker_name`, `time_stamp`, `float_time_stamp` (also ranges), `speaker_id` and labels; other fields of LightMem's are refused",
    ),
    _applied("retrieve(boundmem_tags)", "a filter on labels: one of the tags"),
    _applied("retrieve(boundmem_drop_untagged)", "False: also what was added without tags"),
)

OPTIONS: Mapping[str, Option] = {option.name: option for option in (*CONFIGURATION, *ARGUMENTS)}
