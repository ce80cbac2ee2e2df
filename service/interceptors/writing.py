"""Writes the responses of a stream in the task that makes them, so that one owner ends them.

Left alone, the library takes responses from a generator and, when the call is given up while one of them is on its way, drops the generator
where it stands: whatever it holds, such as a snapshot, then goes when the garbage collector comes by.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc

from service.errors import StreamStalled
from service.interceptors.call_interceptor import PACKAGE, Context, Handler

# Generations that hold what was made lately; the oldest is not walked.
_YOUNG = 1


class Writing(grpc.aio.ServerInterceptor):
    """The outermost interceptor: what it calls has ended when the call has, whenever it was given up.

    A reader that does not take a part within `stall_s` seconds ends its stream: others may wait for what it holds, such as a snapshot.
    """

    def __init__(self, stall_s: float) -> None:
        self._stall_s = stall_s

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]], handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """The handler, with a stream of responses that it writes itself."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or not handler.response_streaming or not handler_call_details.method.startswith(PACKAGE):
            return handler  # type: ignore[no-any-return]
        inner = handler.stream_stream or handler.unary_stream

        async def write(request: Any, context: Context) -> None:
            try:
                async with aclosing(inner(request, context)) as responses:
                    async for response in responses:
                        if not await self._taken(context, response):
                            await self._ended(responses)
                            return
            except BaseException:
                # The error's frames and what they hold, megabytes of records, are a cycle; left to its thresholds, the collector comes
                # after hundreds of such calls.
                asyncio.get_running_loop().call_soon(gc.collect, _YOUNG)
                raise

        make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_stream_rpc_method_handler
        wrapped: Handler = make(write, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer)
        return wrapped

    async def _taken(self, context: Context, response: Any) -> bool:
        """Whether the reader takes the part in time."""
        limit = asyncio.timeout(self._stall_s)
        try:
            async with limit:
                await context.write(response)
        except grpc.aio.InternalError:
            # The caller is gone, and nothing can be sent to it any more.
            raise asyncio.CancelledError from None
        except TimeoutError:
            if not limit.expired():
                raise
            return False
        return True

    async def _ended(self, responses: Any) -> None:
        """Lets the call fail where it stands, which ends what it holds at once; the status waits for the reader, but not for ever."""
        stalled = StreamStalled(f"nobody took the next part of the stream within {self._stall_s:g} seconds")
        try:
            async with asyncio.timeout(self._stall_s):
                await responses.athrow(stalled)
        except TimeoutError:
            raise asyncio.CancelledError from None
