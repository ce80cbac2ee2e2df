"""One line in the log for every call: method, code, time, namespace and principal; never what a message says."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import structlog

from service import call_context
from service.interceptors.call_interceptor import CallInterceptor, Context

_log = structlog.get_logger("access")


class AccessLog(CallInterceptor):
    """Logs each call when it has ended."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Times the call."""
        call = call_context.current()
        start = time.perf_counter()
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            # Nobody waits any more: the caller cancelled, or went away.
            if call.code is grpc.StatusCode.OK:
                call.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            _log.info(
                "call",
                method=method.rpartition("/")[2],
                code=call.code.name,
                ms=round((time.perf_counter() - start) * 1000, 2),
                **_present(reason=call.reason, namespace=",".join(call.namespaces), principal=call.principal.name),
            )


def _present(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
