"""The token file: who may call, by which token, with which rights. Read again when it changes.

    [[token]]
    name = "support-bot"
    sha256 = "9f86d0…"                      # of the token; or `token = "…"` in the clear
    [[token.grant]]
    namespaces = ["acme/support/**", "acme/shared"]
    rights = ["read", "write"]

A file that turns bad while the service runs is logged and the last good one stays in force.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from graph.errors import FieldViolation, Unauthenticated
from service.authorize import Action, Grant, Principal
from service.errors import InvalidSettings

_log = structlog.get_logger(__name__)


class _GrantEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    namespaces: list[str] = Field(min_length=1)
    rights: list[Literal["read", "write", "admin"]] = Field(min_length=1)


class _TokenEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{64}$")
    token: SecretStr | None = Field(default=None, min_length=16)
    grant: list[_GrantEntry] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_of_two(self) -> "_TokenEntry":
        if (self.sha256 is None) == (self.token is None):
            raise ValueError("needs exactly one of sha256 and token")
        return self

    def digest(self) -> str:
        if self.token is not None:
            return token_digest(self.token.get_secret_value())
        return (self.sha256 or "").lower()

    def principal(self) -> Principal:
        return Principal(
            self.name,
            tuple(
                Grant(pattern, frozenset(Action(right) for right in entry.rights)) for entry in self.grant for pattern in entry.namespaces
            ),
        )


class _Contents(BaseModel):
    model_config = ConfigDict(extra="forbid")
    token: list[_TokenEntry] = Field(min_length=1)


def token_digest(token: str) -> str:
    """What the file holds of a token: its SHA-256. Tokens are long and random, so that a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


class TokenFile:
    """The principals of a token file, by digest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = self._current_stamp()
        self._principals = _read(path)

    def principal_of(self, token: str) -> Principal:
        """Who has this token. The file's stamp is looked at each time: one `stat`, so that a revoked token stops at once.

        Raises:
            Unauthenticated: nobody has it.
        """
        self._refresh()
        principal = self._principals.get(token_digest(token))
        if principal is None:
            raise Unauthenticated("the token is not known")
        return principal

    def reload(self) -> None:
        """Reads the file again whatever its stamp (SIGHUP)."""
        self._stamp = (0, 0, 0)
        self._refresh()

    def _refresh(self) -> None:
        stamp = self._current_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._principals = _read(self._path)
            _log.info("token_file_loaded", tokens=len(self._principals))
        except InvalidSettings as error:
            _log.error("token_file_kept", problem=str(error))

    def _current_stamp(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return (-1, -1, -1)
        return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(path: Path) -> dict[str, Principal]:
    try:
        contents = _Contents.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise InvalidSettings.of("token_file", f"cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InvalidSettings.of("token_file", "is not valid TOML") from None
    except ValidationError as error:
        # `input` stays out of it: it may be a token.
        raise InvalidSettings([FieldViolation(_path_of(found["loc"]), found["msg"]) for found in error.errors()]) from None
    principals = {entry.digest(): entry.principal() for entry in contents.token}
    if len(principals) != len(contents.token):
        raise InvalidSettings.of("token_file", "holds the same token twice")
    return principals


def _path_of(location: tuple[int | str, ...]) -> str:
    return "token_file" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
