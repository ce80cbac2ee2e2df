"""The Neo4j databases of a service: the one that the settings name, and those of the namespace map.

    [[database]]
    namespaces = ["acme", "globex/support"]     # each with all that is below it
    uri = "neo4j+s://eu.example.org"
    database = "neo4j"                          # the rest may be left out: what the settings say of Neo4j then counts
    user = "structmem"
    password_file = "eu-password"               # relative paths start from the file
    ca_file = "eu-ca.pem"

What the map does not name is kept in the settings' database.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.errors import FieldViolation
from graph.model import namespace_name_problem
from service.errors import InvalidSettings
from service.settings import Settings, UserPath, wrong_neo4j_uri


@dataclass(frozen=True, slots=True)
class Neo4jDatabase:
    """A database and the namespaces that it keeps: those at or below `prefixes`; of the first database all that none names."""

    uri: str
    name: str
    user: str
    ca_file: Path | None
    password: str = field(repr=False)
    prefixes: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """Which one it is, for operators."""
        return f"{self.uri}, database {self.name}"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    namespaces: list[str] = Field(min_length=1)
    uri: str
    database: str = "neo4j"
    user: str | None = None
    password_file: UserPath | None = None
    ca_file: UserPath | None = None


class _Map(BaseModel):
    model_config = ConfigDict(extra="forbid")
    database: list[_Entry] = Field(min_length=1)


def neo4j_databases(settings: Settings) -> list[Neo4jDatabase]:
    """The settings' database, then those of the map. Raises InvalidSettings when a file cannot be read or the map contradicts itself."""
    password = settings.neo4j_password.get_secret_value()
    if settings.neo4j_password_file is not None:
        password = _password(settings.neo4j_password_file, settings.neo4j_user, "neo4j_password_file")
    first = Neo4jDatabase(settings.neo4j_uri, settings.neo4j_database, settings.neo4j_user, settings.neo4j_ca_file, password)
    if settings.namespace_map is None:
        return [first]
    entries = _read(settings.namespace_map).database
    further = [_database(entry, first, settings.namespace_map.parent, f"namespace_map.database[{i}]") for i, entry in enumerate(entries)]
    _check([first, *further])
    return [first, *further]


def _database(entry: _Entry, first: Neo4jDatabase, folder: Path, where: str) -> Neo4jDatabase:
    for prefix in entry.namespaces:
        if problem := namespace_name_problem(prefix):
            raise InvalidSettings.of(f"{where}.namespaces", f"{prefix!r} {problem}")
    ca_file = folder / entry.ca_file if entry.ca_file is not None else None if "+" in entry.uri else first.ca_file
    if problem := wrong_neo4j_uri(entry.uri, ca_file is not None):
        raise InvalidSettings.of(f"{where}.uri", problem)
    user = entry.user or first.user
    password = first.password if entry.password_file is None else _password(folder / entry.password_file, user, f"{where}.password_file")
    return Neo4jDatabase(entry.uri, entry.database, user, ca_file, password, tuple(entry.namespaces))


def _check(databases: Sequence[Neo4jDatabase]) -> None:
    """Refuses a map in which it is not clear where a namespace is kept."""
    claimed = [prefix for database in databases for prefix in database.prefixes]
    for prefix in sorted(set(claimed)):
        if claimed.count(prefix) > 1:
            raise InvalidSettings.of("namespace_map", f"names {prefix!r} twice")
    locations = [database.location for database in databases]
    for location in sorted(set(locations)):
        if locations.count(location) > 1:
            raise InvalidSettings.of("namespace_map", f"names {location} twice (neo4j_uri counts): give one entry all of its namespaces")


def _read(path: Path) -> _Map:
    try:
        return _Map.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise InvalidSettings.of("namespace_map", f"cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings.of("namespace_map", f"is not valid TOML ({error})") from None
    except ValidationError as error:
        found = [(".".join(map(str, one["loc"])), one["msg"]) for one in error.errors()]
        raise InvalidSettings([FieldViolation(f"namespace_map: {where}", why) for where, why in found]) from None


def _password(path: Path, user: str, setting: str) -> str:
    """What the file holds: the password, or USER/PASSWORD, the form that Neo4j's own image reads, so that both may share a secret."""
    try:
        password = path.read_text("utf-8").strip().removeprefix(f"{user}/")
    except OSError as error:
        raise InvalidSettings.of(setting, f"cannot be read ({error.strerror})") from None
    if not password:
        raise InvalidSettings.of(setting, "is empty")
    return password
