"""The application without a process of its own: what the command line opens when no service runs."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.app import build
from service.settings import Settings


@asynccontextmanager
async def in_process(settings: Settings) -> AsyncIterator[str]:
    """Opens the data directory here and yields the gRPC target of a server that only this user can reach (a socket in a private directory).

    Raises:
        StoreBusy: a service owns the data directory.
    """
    with tempfile.TemporaryDirectory(prefix="structmem-") as directory:
        address = f"unix:{Path(directory) / 'socket'}"
        private = settings.model_copy(update={"listen": address, "token_file": None, "tls_cert": None, "tls_key": None, "ready_file": None})
        application = build(private, announced=False)
        await application.start()
        try:
            yield address
        finally:
            await application.stop()
