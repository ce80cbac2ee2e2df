"""Turns answers into bytes and refuses what is larger than clients take, while there is still somebody to tell the reason.

Left alone, the library encodes after the last interceptor: what it then cannot send is RESOURCE_EXHAUSTED without reason or request id,
and is logged as sent. Handlers keep their answers below the limit; this is for what they could not cut.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc

from service.errors import AnswerTooLarge
from service.interceptors.call_interceptor import PACKAGE, Context, Handler


class Encoding(grpc.aio.ServerInterceptor):
    """An inner interceptor: outer ones see answers as the bytes that are sent, and the error of one that is too large."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes of the largest answer, or element of a stream."""
        self._limit = limit

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]], handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """The handler, with answers that are bytes already."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(PACKAGE):
            return handler  # type: ignore[no-any-return]
        shape = ("stream" if handler.request_streaming else "unary") + "_" + ("stream" if handler.response_streaming else "unary")
        inner = getattr(handler, shape)

        async def one(request: Any, context: Context) -> bytes:
            return self._encoded(handler.response_serializer, await inner(request, context))

        async def many(request: Any, context: Context) -> AsyncIterator[bytes]:
            async with aclosing(inner(request, context)) as responses:
                async for response in responses:
                    yield self._encoded(handler.response_serializer, response)

        make = getattr(grpc, f"{shape}_rpc_method_handler")
        wrapped: Handler = make(many if handler.response_streaming else one, request_deserializer=handler.request_deserializer)
        return wrapped

    def _encoded(self, serialize: Callable[[Any], bytes], answer: Any) -> bytes:
        size = answer.ByteSize()
        if size > self._limit:
            raise AnswerTooLarge(size, self._limit)
        return serialize(answer)
