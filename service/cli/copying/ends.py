"""The two ends of a copy: a service, a data directory or a Neo4j, by what somebody calls them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from service.cli.connection import client_at, ensure_stored, opened_here, running_service

if TYPE_CHECKING:
    from structmem import Client

    from service.settings import Settings

_NEO4J_SCHEMES = ("bolt://", "bolt+s://", "bolt+ssc://", "neo4j://", "neo4j+s://", "neo4j+ssc://")
_TLS_SCHEME = "grpcs://"
FORMS = "embedded, neo4j, a data directory, a Neo4j URI, or the address of a service: host:port, grpcs://host:port, unix:PATH"


@dataclass(frozen=True, slots=True)
class Reach:
    """What reaches both ends alike: the file of settings, and the certificates that TLS trusts."""

    config: Path | None
    root_certificates: Path | None


@dataclass(frozen=True, slots=True)
class End:
    """One end of a copy: `settings` lead to it."""

    settings: "Settings"
    tls: bool
    root_certificates: Path | None

    def is_same(self, other: "End") -> bool:
        """Whether both are the same memory, as far as their names tell."""
        return self._place() == other._place()

    def _place(self) -> tuple[str, ...]:
        settings = self.settings
        # Where a service has the directory open, the directory is that service.
        if address := settings.target or running_service(settings):
            return ("service", address)
        if settings.store == "neo4j":
            return ("neo4j", settings.neo4j_uri, settings.neo4j_database, str(settings.namespace_map or ""))
        return ("embedded", str(settings.data_dir.resolve()))


def end_of(name: str, token: str | None, reach: Reach, option: str) -> End:
    """The end that somebody calls `name`; "" is where other commands look. `option` is named when it is none of `FORMS`.

    Raises:
        InvalidSettings: the settings that lead there are wrong.
    """
    from service.configuration import load_settings

    settings = load_settings({"token": token}, reach.config).model_copy(update=_changes(name, option))
    return End(settings, name.startswith(_TLS_SCHEME), reach.root_certificates)


@contextmanager
def opened(end: End, create: bool) -> "Iterator[Client]":
    """A client of the memory at this end, which is opened in this process where no service owns it.

    `create`: an empty data directory becomes a store.
    """
    settings = end.settings
    address = settings.target or running_service(settings)
    if address:
        with client_at(address, settings.token.get_secret_value(), end.tls, end.root_certificates) as client:
            yield client
        return
    if not create:
        ensure_stored(settings)
    # No job runs: a copy that changed while it is compared would be no copy. So no model is needed either.
    idle = settings.model_copy(update={"workers": 0, "embedder": "none", "reranker": "none", "extractor": "local"})
    with opened_here(idle) as here, client_at(here, "", tls=False, root_certificates=None) as client:
        yield client


def _changes(name: str, option: str) -> dict[str, Any]:
    """What to change of the settings in force to get there."""
    if not name:
        return {}
    if name == "embedded":
        return {"target": "", "store": "embedded"}
    if name == "neo4j":
        return {"target": "", "store": "neo4j"}
    if name.startswith(_NEO4J_SCHEMES):
        return {"target": "", "store": "neo4j", "neo4j_uri": name, "namespace_map": None}
    if name.startswith("unix:"):
        return {"target": name}
    if name.startswith(_TLS_SCHEME):
        return {"target": _address(name.removeprefix(_TLS_SCHEME), name, option)}
    if "/" in name or name.startswith(("~", ".")) or Path(name).is_dir():
        return {"target": "", "store": "embedded", "data_dir": Path(name).expanduser()}
    return {"target": _address(name, name, option)}


def _address(address: str, name: str, option: str) -> str:
    from service.settings import host_and_port

    try:
        host_and_port(address)
    except ValueError:
        raise typer.BadParameter(f"{name!r} is none of: {FORMS}", param_hint=option) from None
    return address
