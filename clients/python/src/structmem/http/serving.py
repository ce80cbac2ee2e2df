"""Runs the application in a web server until it is told to stop."""

import ipaddress
import signal
import socket
from collections.abc import Callable

import uvicorn

from structmem._async_client import AsyncClient
from structmem.http.app import HttpOptions, make_app

_GRACE_S = 10
_KEEP_ALIVE_S = 30


def serve(
    connect: Callable[[], AsyncClient],
    options: HttpOptions,
    host: str = "127.0.0.1",
    port: int = 8000,
    on_listening: Callable[[str], None] = print,
) -> None:
    """Answers requests until SIGTERM or SIGINT; then takes no new ones and gives those under way ten seconds.

    Args:
        connect: gives the client of the service.
        options: how the adapter works.
        host: the address to listen on. Anything but loopback needs `options.key`.
        port: the port; 0: any free one.
        on_listening: is given the URL.

    Raises:
        ValueError: the address is not loopback, and there is no key.
        OSError: the address cannot be had.
    """
    if not options.key and not is_loopback(host):
        raise ValueError("host: an address other than loopback needs a key, so that not everybody may call")
    config = uvicorn.Config(
        make_app(connect, options),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="on",
    )
    # uvicorn raises the signal once more when it has stopped, which would end the process at once (findings/uvicorn_stopped_by_signal.sh).
    before = {sign: signal.signal(sign, lambda *_: None) for sign in (signal.SIGTERM, signal.SIGINT)}
    try:
        with _listening(host, port) as listener:
            bound = listener.getsockname()
            on_listening(f"http://[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"http://{bound[0]}:{bound[1]}")
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
