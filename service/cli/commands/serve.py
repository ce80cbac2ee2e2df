"""`structmem serve`."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.failures import fail, reported


def serve(
    config: Annotated[Path | None, typer.Option("--config", help="TOML file of settings.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data directory of the embedded store.")] = None,
    store: Annotated[str | None, typer.Option(help="Where memories are kept: embedded or neo4j.")] = None,
    neo4j_uri: Annotated[
        str | None, typer.Option(help="bolt:// or, for a cluster, neo4j://; +s or +ssc for TLS. Default bolt://127.0.0.1:7687.")
    ] = None,
    listen: Annotated[str | None, typer.Option(help="host:port (port 0: any free one) or unix:PATH. Default 127.0.0.1:7600.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="TOML file of tokens; needed to listen beyond loopback.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="PEM certificate chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM private key.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="File to write the bound address into once it can serve.")] = None,
    embedder: Annotated[
        str | None, typer.Option(help="Model of new namespaces: minilm, openai, sentence-transformers, hashing or none.")
    ] = None,
    extraction_mode: Annotated[str | None, typer.Option(help="Extraction of new namespaces: event, flat or off.")] = None,
    extractor: Annotated[str | None, typer.Option(help="Who extracts: local, llm or recorded.")] = None,
    recorded_file: Annotated[Path | None, typer.Option(help="File of the recorded extractor.")] = None,
    llm_provider: Annotated[
        str | None, typer.Option(help="Whose API the llm extractor calls: openai, deepseek, ollama, vllm or custom.")
    ] = None,
    llm_model: Annotated[str | None, typer.Option(help="Language model that answers, and extracts with --extractor llm.")] = None,
    llm_base_url: Annotated[str | None, typer.Option(help="URL of an OpenAI-compatible API.")] = None,
    llm_record: Annotated[Path | None, typer.Option(help="File to append every exchange with the model to, but answers.")] = None,
    llm_replay: Annotated[Path | None, typer.Option(help="File of exchanges to answer from, instead of calling the model.")] = None,
    workers: Annotated[int | None, typer.Option(help="Jobs that run at once; 0: none.")] = None,
    idle_s: Annotated[float | None, typer.Option("--idle", help="Seconds that a half-full buffer waits for more messages.")] = None,
    log_format: Annotated[str | None, typer.Option(help="console or json.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting, as NAME=VALUE; `structmem config` lists them.")
    ] = None,
) -> None:
    """Runs the service until it is told to stop.

    Every option is also an environment variable (STRUCTMEM_DATA_DIR, ...) and a key of the TOML file; `structmem config` shows them all.
    """
    flags: dict[str, object] = {
        "data_dir": data_dir,
        "store": store,
        "neo4j_uri": neo4j_uri,
        "listen": listen,
        "token_file": token_file,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "ready_file": ready_file,
        "embedder": embedder,
        "extraction_mode": extraction_mode,
        "extractor": extractor,
        "recorded_file": recorded_file,
        "llm_provider": llm_provider,
        "llm_model": llm_model,
        "llm_base_url": llm_base_url,
        "llm_record": llm_record,
        "llm_replay": llm_replay,
        "workers": workers,
        "idle_s": idle_s,
        "log_format": log_format,
        "log_level": log_level,
        **_further(settings or []),
    }
    with reported():
        from service.app import serve as run
        from service.configuration import load_settings

        run(load_settings(flags, config), lambda address: typer.echo(f"structmem serves at {address}"))


def _further(pairs: list[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            fail(f'--set: "{pair}" is not NAME=VALUE', 2)
        given[name.strip().replace("-", "_")] = value
    return given
