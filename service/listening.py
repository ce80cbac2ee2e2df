"""Whether an address can be listened on, asked before the server binds it: gRPC says why not only in its own words, on standard error."""

import errno
import os
import socket
from pathlib import Path

from graph.errors import FieldViolation
from service.errors import InvalidSettings
from service.settings import host_and_port

_IN_USE = "another process listens there already"


def ensure_free(address: str) -> None:
    """Returns when a server can listen on "host:port" or "unix:PATH".

    Raises:
        InvalidSettings: it cannot, with the cause.
    """
    problem = _problem_of_path(Path(address.removeprefix("unix:"))) if address.startswith("unix:") else _problem_of_port(address)
    if problem:
        raise cannot_listen(address, problem)


def cannot_listen(address: str, why: str) -> InvalidSettings:
    """The error for an address that cannot be listened on."""
    return InvalidSettings([FieldViolation("listen", f"cannot listen on {address}: {why}")])


def _problem_of_port(address: str) -> str:
    host, port = host_and_port(address)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        return f"the host is not known ({error.strerror})"
    problems = [_problem_of_bind(family, place) for family, _, _, _, place in found]
    # A name such as localhost may stand for an address that this machine lacks; but none of them may be somebody else's.
    return _IN_USE if _IN_USE in problems else problems[0] if all(problems) else ""


def _problem_of_bind(family: int, place: object) -> str:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server does: what a closed connection left behind does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)  # type: ignore[arg-type]  # as getaddrinfo gives it
    except OSError as error:
        return _IN_USE if error.errno == errno.EADDRINUSE else str(error.strerror)
    return ""


def _problem_of_path(path: Path) -> str:
    if not os.access(path.parent, os.W_OK):
        return "its directory is not there or cannot be written"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # The server would remove the socket of one that still listens as readily as a left one.
        try:
            probe.connect(str(path))
        except OSError as error:
            return "the path is too long" if error.errno is None else ""
    return _IN_USE
