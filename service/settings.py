"""Settings of the process: what they are, their limits and defaults. `service.configuration` reads them from their sources."""

import ipaddress
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

# A file in the data directory: where the service that owns it listens.
ADDRESS_FILE = "address"


def default_data_dir() -> Path:
    """`./.structmem` where there is one, so that a project may keep its memory beside it; else the platform's place for data."""
    here = Path(".structmem")
    if here.is_dir():
        return here
    return platform_dir("XDG_DATA_HOME", ".local/share") / "structmem"


def platform_dir(variable: str, fallback: str) -> Path:
    """The user's directory for data or configuration: of the XDG base directory specification, or macOS's."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get(variable) or Path.home() / fallback)


def _expand(value: Any) -> Any:
    return os.path.expanduser(value) if isinstance(value, str) else value


UserPath = Annotated[Path, BeforeValidator(_expand)]
StoreName = Literal["embedded", "neo4j"]
EmbedderName = Literal["minilm", "openai", "sentence-transformers", "hashing", "none"]
RerankerName = Literal["none", "rerank", "score", "cross-encoder"]
OPENAI_URL = "https://api.openai.com/v1"
CompressorName = Literal["none", "entropy", "llmlingua2"]
ModeName = Literal["event", "flat", "off"]
# The names of `extract.llm.providers`.
ProviderName = Literal["openai", "deepseek", "ollama", "vllm", "custom"]


_NEO4J_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


class Settings(BaseSettings):
    """Everything that can be set. Each name is also a flag (`--data-dir`), a variable (`STRUCTMEM_DATA_DIR`) and a key of the TOML file."""

    model_config = SettingsConfigDict(env_prefix="STRUCTMEM_", extra="forbid", frozen=True, validate_default=True)

    store: StoreName = Field("embedded", description="where memories are kept: embedded (in data_dir) or neo4j")
    data_dir: UserPath = Field(default_factory=default_data_dir, description="directory of the embedded store")
    neo4j_uri: str = Field(
        "bolt://127.0.0.1:7687",
        description="Neo4j's address: bolt:// one server, neo4j:// a cluster; with +s TLS, with +ssc TLS that trusts any certificate",
    )
    neo4j_user: str = Field("neo4j", max_length=200, description="user of Neo4j; without a password nobody is named")
    neo4j_password: SecretStr = Field(SecretStr(""), description="password of that user")
    neo4j_password_file: UserPath | None = Field(
        None, description="file that holds the password, alone or as USER/PASSWORD, instead of neo4j_password"
    )
    neo4j_database: str = Field("neo4j", min_length=1, max_length=63, description="database of Neo4j")
    neo4j_ca_file: UserPath | None = Field(
        None, description="PEM file of the certificates to trust; Neo4j is then asked over TLS. neo4j_uri has no +s or +ssc with it"
    )
    neo4j_search_in_process_passages: int = Field(
        400_000,
        ge=0,
        le=10_000_000,
        description="passages up to which a namespace may be searched in the service's memory (index_memory_mb), not by Neo4j's indexes",
    )
    namespace_map: UserPath | None = Field(
        None, description="TOML file of further Neo4j databases and the namespaces that each of them keeps"
    )
    listen: str = Field("127.0.0.1:7600", description="address to listen on: host:port (port 0: any free one) or unix:PATH")
    token_file: UserPath | None = Field(None, description="TOML file of tokens and what they may do; needed to listen beyond loopback")
    tls_cert: UserPath | None = Field(None, description="PEM certificate chain; with tls_key, the service speaks TLS")
    tls_key: UserPath | None = Field(None, description="PEM private key of tls_cert")
    ready_file: UserPath | None = Field(None, description="file to write the bound address into once the service can serve")
    max_receive_mb: int = Field(16, ge=1, le=1024, description="largest message taken, in MB")
    max_send_mb: int = Field(
        3, ge=1, le=1024, description="largest answer, page or element of a stream, in MB; clients take 4 unless told otherwise"
    )
    max_concurrent_calls: int = Field(1000, ge=1, description="calls answered at once; more are refused with RESOURCE_EXHAUSTED")
    stream_stall_s: float = Field(60.0, ge=0.1, le=86400, description="seconds within which the reader of a stream must take its next part")
    keepalive_s: float = Field(60.0, ge=1, description="seconds without traffic after which a connection is probed")
    health_probe_s: float = Field(5.0, gt=0, le=3600, description="seconds between looks at whether the store still answers")
    shutdown_grace_s: float = Field(10.0, ge=0, le=600, description="seconds that calls under way get to finish at shutdown")

    embedder: EmbedderName = Field(
        "minilm",
        description="model of new namespaces: minilm, openai (an API), sentence-transformers, hashing (no model; for tests) or none",
    )
    embedder_threads: int = Field(1, ge=1, le=64, description="threads of the embedding model")
    embedder_model: str = Field(
        "", max_length=300, description="model of the API; for sentence-transformers a directory or a name on the hub"
    )
    embedder_url: str = Field(OPENAI_URL, description="URL of an OpenAI-compatible API that embeds")
    embedder_api_key: SecretStr = Field(SecretStr(""), description="key of that API; empty: for OpenAI's own, what OPENAI_API_KEY holds")
    embedder_dimension: int = Field(0, ge=0, le=8192, description="numbers of each vector that the API's model gives")
    embedder_shortened: bool = Field(False, description="whether the API is asked to shorten its vectors to embedder_dimension")
    embedder_batch: int = Field(64, ge=1, le=2048, description="texts a call of the API at most")
    embedder_concurrency: int = Field(4, ge=1, le=256, description="calls of the API under way at once, of all jobs together")
    embedder_timeout_s: float = Field(60.0, gt=0, le=3600, description="seconds that one call of the API may take")
    embedder_retries: int = Field(4, ge=0, le=20, description="further tries of a call that failed, before its job backs off")
    embedder_query_timeout_s: float = Field(2.0, gt=0, le=60, description="seconds after which a query goes on without a vector")
    reranker: RerankerName = Field("none", description="who reranks: none, an API of the form rerank or score, or a cross-encoder")
    reranker_model: str = Field(
        "", max_length=300, description="model of the reranker; for a cross-encoder a directory or a name on the hub"
    )
    reranker_url: str = Field("", description="URL of the reranker's API, without /rerank or /score")
    reranker_api_key: SecretStr = Field(SecretStr(""), description="key of that API")
    reranker_best: int = Field(50, ge=2, le=1000, description="memories of the fused order that the reranker reads")
    reranker_timeout_ms: int = Field(500, ge=1, le=60_000, description="milliseconds after which the fused order stands")
    reranker_weight: float = Field(1.0, gt=0, le=1000, description="what the reranker says, against all other signals together")
    reranker_concurrency: int = Field(8, ge=1, le=256, description="calls of the reranker's API under way at once")
    extraction_mode: ModeName = Field("event", description="extraction of new namespaces that name none: event, flat or off")
    extractor: Literal["local", "llm", "recorded"] = Field(
        "local", description="who extracts: local rules, a language model, or facts recorded in a file"
    )
    recorded_file: UserPath | None = Field(None, description="file of the recorded extractor")
    llm_provider: ProviderName = Field("openai", description="whose API has the language model: openai, deepseek, ollama, vllm or custom")
    llm_model: str = Field(
        "", max_length=200, description="language model that extracts, consolidates or answers, as its provider calls it"
    )
    llm_base_url: str = Field("", description="URL of an OpenAI-compatible API; empty: the provider's")
    llm_api_key: SecretStr = Field(SecretStr(""), description="key of that API; empty: what the variable of llm_key_variable holds")
    llm_key_variable: str = Field("", description="environment variable of the key; empty: the provider's, such as OPENAI_API_KEY")
    llm_output: Literal["", "json_schema", "json_object", "text"] = Field(
        "", description="strictest form to ask answers in; empty: the provider's. What a server refuses is tried less strictly"
    )
    llm_reasoning: Literal["", "none", "minimal", "low", "medium", "high"] = Field("", description="effort of reasoning to ask for")
    llm_concurrency: int = Field(4, ge=1, le=256, description="calls of the model under way at once, of all jobs and answers together")
    llm_timeout_s: float = Field(120.0, gt=0, le=3600, description="seconds that one call of the model may take")
    llm_retries: int = Field(4, ge=0, le=20, description="further tries of a call that failed, before its job backs off")
    llm_input_tokens: int = Field(6_000, ge=500, le=1_000_000, description="longer segments are split before the model reads them")
    llm_output_tokens: int = Field(4_000, ge=200, le=1_000_000, description="tokens that an answer of the model may take")
    compressor: CompressorName = Field(
        "none",
        description="what leaves words out of the llm extractor's prompts: none, entropy (word frequencies) or llmlingua2 (a model)",
    )
    compression_rate: float = Field(0.6, ge=0.4, le=0.8, description="share of the texts' characters that the compressor leaves, about")
    compressor_model: str = Field(
        "microsoft/llmlingua-2-bert-base-multilingual-cased-meetingbank",
        min_length=1,
        max_length=300,
        description="model of the compressor llmlingua2: a directory or a name on the hub",
    )
    llm_record: UserPath | None = Field(None, description="file to append every exchange with the model to")
    llm_replay: UserPath | None = Field(None, description="file of exchanges to answer from, instead of calling the model")
    consolidator: Literal["none", "local", "llm"] = Field(
        "local", description="who writes summaries: local rules, a language model (that of the llm settings), or none"
    )
    consolidation_window: Literal["hour", "session"] = Field("hour", description="of what one summary of events tells: hour or session")
    consolidation_idle_s: float = Field(
        60.0, ge=0, le=86400, description="seconds that events wait for more before they are summarized; at most ten minutes in all"
    )
    workers: int = Field(2, ge=0, le=16, description="jobs that run at once; 0: none, jobs wait")
    retention_sweep_s: float = Field(
        600.0, ge=1, le=86400, description="seconds between two looks for messages that namespaces keep no longer"
    )
    lease_s: float = Field(30.0, ge=1, le=3600, description="seconds a worker holds a job before another may take it over")
    idle_s: float = Field(5.0, ge=0, le=86400, description="seconds that a half-full buffer waits for more messages")
    segmentation: Literal["similarity", "attention+similarity", "none"] = Field(
        "similarity",
        description="what ends a segment beside size and silence: similarity, attention+similarity (of the compressor llmlingua2), or none",
    )
    messages_use: Literal["user", "assistant", "both"] = Field(
        "both", description="of whose messages something is extracted: user, assistant or both; all are stored and searched"
    )
    sensory_buffer_tokens: int = Field(
        1_024,
        ge=64,
        le=100_000,
        description="tokens of messages, about, that one call of a language model reads, of several sessions; a segment ends at as many",
    )
    segment_depth: float = Field(
        0.8, ge=0, le=4, description="how deep a valley of similarity ends a topic; half of it where a buffer is full and has to end"
    )
    segment_silence_s: float = Field(14_400.0, ge=1, description="seconds without a message after which a segment ends")
    segment_most_messages: int = Field(40, ge=1, le=300, description="messages after which a segment ends")
    segment_most_words: int = Field(
        1200, ge=10, le=100_000, description="words after which a segment ends, unless a language model extracts"
    )

    max_open_namespaces: int = Field(1200, ge=1, le=100_000, description="namespaces whose files stay open")
    index_memory_mb: int = Field(1024, ge=16, description="memory for search indexes, in MB; the least recently used give way")

    cypher_timeout_s: float = Field(10.0, gt=0, le=600, description="seconds that a query in Cypher may take")
    cypher_max_rows: int = Field(10_000, ge=1, le=1_000_000, description="rows of an answer in Cypher; it says when there are more")
    cypher_max_mb: int = Field(8, ge=1, le=1024, description="size of an answer in Cypher, in MB; it says when there is more")
    cypher_memory_mb: int = Field(1024, ge=256, description="memory of a process that runs Cypher on a snapshot, in MB")
    cypher_max_nodes: int = Field(200_000, ge=1, description="nodes of a namespace of which a snapshot may be taken")
    cypher_snapshots: int = Field(4, ge=1, le=64, description="snapshots that are kept for Cypher, and queries that run at once")

    log_format: Literal["console", "json"] = Field("console", description="console or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="debug, info, warning or error")

    target: str = Field(
        "", description="address of the service that the command line talks to; empty: the one that owns the data directory, if it runs"
    )
    token: SecretStr = Field(SecretStr(""), description="token that the command line presents to a service")

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def max_send_bytes(self) -> int:
        """`max_send_mb` in bytes."""
        return self.max_send_mb << 20

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith("unix:"):
            host_and_port(value)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if not is_loopback(self.listen) and self.token_file is None:
            raise ValueError("listen: an address other than loopback needs a token_file, so that not everybody may call")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert: goes together with tls_key")
        if self.extractor == "recorded" and self.recorded_file is None:
            raise ValueError("recorded_file: is required by the recorded extractor")
        if self.llm_model or "llm" in (self.extractor, self.consolidator):
            self._check_llm()
        if self.segmentation == "attention+similarity" and (self.extractor, self.compressor) != ("llm", "llmlingua2"):
            raise ValueError(
                "segmentation: attention+similarity asks the model of the compressor llmlingua2; set extractor to llm and compressor to "
                "llmlingua2, too, or choose similarity"
            )
        self._check_embedder()
        self._check_reranker()
        self._check_neo4j()
        return self

    def _check_neo4j(self) -> None:
        if self.store != "neo4j":
            if self.namespace_map is not None:
                raise ValueError("namespace_map: is of Neo4j databases; set store to neo4j, too")
            return
        if reason := wrong_neo4j_uri(self.neo4j_uri, self.neo4j_ca_file is not None):
            raise ValueError(f"neo4j_uri: {reason}")
        if self.neo4j_password.get_secret_value() and self.neo4j_password_file is not None:
            raise ValueError("neo4j_password_file: gives the password that neo4j_password gives already; set one of them")

    def _check_embedder(self) -> None:
        if self.embedder in ("openai", "sentence-transformers") and not self.embedder_model:
            raise ValueError(f"embedder_model: is required by the embedder {self.embedder}")
        if self.embedder == "openai" and not self.embedder_dimension:
            raise ValueError("embedder_dimension: is required by the embedder openai: how many numbers its model's vectors have")
        if not self.embedder_url.startswith(("http://", "https://")):
            raise ValueError("embedder_url: must start with http:// or https://")

    def _check_reranker(self) -> None:
        if self.reranker != "none" and not self.reranker_model:
            raise ValueError(f"reranker_model: is required by the reranker {self.reranker}")
        if self.reranker in ("rerank", "score") and not self.reranker_url.startswith(("http://", "https://")):
            raise ValueError("reranker_url: must start with http:// or https://")

    def _check_llm(self) -> None:
        if not self.llm_model:
            raise ValueError(f"llm_model: is required by the llm {'extractor' if self.extractor == 'llm' else 'consolidator'}")
        if self.llm_provider == "custom" and not self.llm_base_url and self.llm_replay is None:
            raise ValueError('llm_base_url: is required by the provider "custom"')
        if self.llm_base_url and not self.llm_base_url.startswith(("http://", "https://")):
            raise ValueError("llm_base_url: must start with http:// or https://")
        if self.llm_record is not None and self.llm_replay is not None:
            raise ValueError("llm_record: there is nothing to record while exchanges are replayed")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: `service.configuration` reads the environment and the file, and remembers which value came from where."""
        return (init_settings,)


def wrong_neo4j_uri(uri: str, has_ca_file: bool) -> str:
    """Why this is no address of a Neo4j, or not one to use with certificates of one's own; "" when it is right."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in _NEO4J_SCHEMES or not rest.strip("/"):
        return f"must be SCHEME://HOST:PORT, where SCHEME is one of {', '.join(_NEO4J_SCHEMES)}"
    if "@" in rest:
        return "holds a user or a password; neo4j_user and neo4j_password_file are for these"
    if has_ca_file and "+" in scheme:
        return f"{scheme}:// says itself whom to trust; with neo4j_ca_file write {scheme.partition('+')[0]}://"
    return ""


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of "host:port" or "[v6]:port".

    Raises:
        ValueError: it is not such an address.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("must be host:port or unix:PATH")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("an IPv6 host stands in brackets, such as [::1]:7600")
    return host.strip("[]"), int(port)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    if address.startswith("unix:"):
        return True
    host, _ = host_and_port(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
