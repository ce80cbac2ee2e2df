"""Which service a command talks to: the one named, else the one that owns the data directory, else one opened in this process."""

import asyncio
import fcntl
import inspect
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.failures import fail, reported

if TYPE_CHECKING:
    from structmem import Client

    from service.settings import Settings

_PANEL = "Which memory"
_START_UP_S = 5.0
TargetOption = Annotated[
    str | None,
    typer.Option(
        help="host:port of a running service. Default: STRUCTMEM_TARGET, else the service that owns the data directory, else in process.",
        rich_help_panel=_PANEL,
    ),
]
TokenOption = Annotated[str | None, typer.Option(help="Token for the service (STRUCTMEM_TOKEN).", rich_help_panel=_PANEL)]
TlsOption = Annotated[bool, typer.Option("--tls", help="Connect with TLS.", rich_help_panel=_PANEL)]
CertificatesOption = Annotated[
    Path | None, typer.Option("--root-certificates", help="PEM file of certificates to trust; implies --tls.", rich_help_panel=_PANEL)
]
DataDirOption = Annotated[
    Path | None, typer.Option(help="Data directory of the embedded store (STRUCTMEM_DATA_DIR).", rich_help_panel=_PANEL)
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="TOML file of settings (STRUCTMEM_CONFIG).", rich_help_panel=_PANEL)]


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What the options say about the service."""

    target: str | None = None
    token: str | None = None
    tls: bool = False
    root_certificates: Path | None = None
    data_dir: Path | None = None
    config: Path | None = None


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `ConnectionOptions` and, as its first argument, a client of that service."""
    return _with_client(command, create=False)


def creating(command: Callable[..., None]) -> Callable[..., None]:
    """As `connected`, for a command that makes the store where there is none."""
    return _with_client(command, create=True)


def _with_client(command: Callable[..., None], create: bool) -> Callable[..., None]:
    own = list(inspect.signature(command).parameters.values())[1:]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, default, annotation in (
            ("target", None, TargetOption),
            ("token", None, TokenOption),
            ("tls", False, TlsOption),
            ("root_certificates", None, CertificatesOption),
            ("data_dir", None, DataDirOption),
            ("config", None, ConfigOption),
        )
    ]

    @wraps(command)
    def run(**given: Any) -> None:
        connection = ConnectionOptions(**{option.name: given.pop(option.name) for option in options})
        with reported(), client_of(connection, create) as client:
            command(client, **given)

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + options
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads the options from it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__  # or inspect would follow it back to the command
    return run


@contextmanager
def client_of(connection: ConnectionOptions, create: bool) -> Iterator["Client"]:
    """A client of the service that the options name. `create`: where none is named or runs, an empty directory becomes a store."""
    from structmem import Client

    settings = settings_of(connection)
    with address_of(settings, create) as (address, is_here):
        if is_here:
            with Client(address, token="") as client:
                yield client
        else:
            with client_at(address, settings.token.get_secret_value(), connection.tls, connection.root_certificates) as client:
                yield client


@contextmanager
def address_of(settings: "Settings", create: bool) -> Iterator[tuple[str, bool]]:
    """The address of the service that the settings name, and whether it is one that runs in this process, for as long as the block.

    `create`: where none is named or runs, an empty directory becomes a store.
    """
    address = settings.target or running_service(settings)
    if address:
        yield address, False
        return
    if not create:
        ensure_stored(settings)
    with opened_here(settings) as address:
        yield address, True


def client_at(address: str, token: str, tls: bool, root_certificates: Path | None) -> "Client":
    """A client of the service at an address."""
    from structmem import Client

    roots = root_certificates.read_bytes() if root_certificates else None
    # A person waits: two quick further attempts, not a long back-off.
    return Client(address, token=token, tls=tls, root_certificates=roots, retries=2)


def settings_of(connection: ConnectionOptions) -> "Settings":
    """The settings in force. Raises InvalidSettings."""
    from service.configuration import load_settings

    if connection.target and connection.data_dir:
        raise typer.BadParameter("names another memory than --data-dir; give one of them", param_hint="--target")
    # A directory that this command names goes before the service that the environment or the file names.
    target = "" if connection.data_dir else connection.target
    return load_settings({"data_dir": connection.data_dir, "target": target, "token": connection.token}, connection.config)


def ensure_stored(settings: "Settings") -> None:
    """Fails, with what to do, where the data directory holds no store: looking for something must not make one."""
    from service.composition import is_stored

    if is_stored(settings):
        return
    if settings.store == "neo4j":
        fail(f"neo4j_uri: there is no store in {settings.neo4j_uri}; `structmem serve`, `ingest` and `import` make one")
    else:
        advice = "`structmem serve`, `ingest` and `import` make one, --data-dir names another directory"
        fail(f"data_dir: there is no store in {settings.data_dir}; {advice}")


def running_service(settings: "Settings") -> str | None:
    """The address of the service that owns the data directory; None when none does. Nobody owns a Neo4j.

    A service that is still starting owns the directory before it has an address: it gets some seconds.
    """
    from service.settings import ADDRESS_FILE

    if settings.store != "embedded":
        return None
    file = settings.data_dir / ADDRESS_FILE
    patience = time.monotonic() + _START_UP_S
    while _owned(settings.data_dir):
        with suppress(OSError):
            return file.read_text("utf-8").strip()
        if time.monotonic() > patience:
            return None
        time.sleep(0.05)
    return None


def _owned(data_dir: Path) -> bool:
    """Whether a process holds the directory: what a killed one left behind does not count."""
    try:
        with (data_dir / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def opened_here(settings: "Settings") -> Iterator[str]:
    """Opens the data directory in this process, in a thread of its own, and gives the address of the service in it."""
    from service.in_process import in_process
    from service.logs import configure_logs

    quiet = settings.model_copy(update={"log_level": "error"})
    configure_logs(quiet)
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with in_process(quiet) as address:
                ready.set_result(address)
                await stop.wait()
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="structmem-service")
    thread.start()
    try:
        yield ready.result()
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
