"""Refuses requests whose bytes are no message of the contract with a clear error.

Left alone, the library answers UNKNOWN with its own exception's text. Strings that are not UTF-8, such as those with lone surrogates,
are the likely cause; the error names the field.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from graph.errors import InvalidArgument
from service.convert.malformed import field_that_is_not_text
from service.interceptors.call_interceptor import PACKAGE, Context, Handler


@dataclass(frozen=True, slots=True)
class _Undecodable:
    error: InvalidArgument


class Decoding(grpc.aio.ServerInterceptor):
    """The innermost interceptor: what it raises passes through all others."""

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]], handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """The handler, with a decoder that does not raise."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(PACKAGE):
            return handler  # type: ignore[no-any-return]
        shape = ("stream" if handler.request_streaming else "unary") + "_" + ("stream" if handler.response_streaming else "unary")
        inner = getattr(handler, shape)
        check = _checked_stream if handler.request_streaming else _checked

        async def one(request: Any, context: Context) -> Any:
            return await inner(check(request), context)

        async def many(request: Any, context: Context) -> AsyncIterator[Any]:
            async with aclosing(inner(check(request), context)) as responses:
                async for response in responses:
                    yield response

        make = getattr(grpc, f"{shape}_rpc_method_handler")
        wrapped: Handler = make(
            many if handler.response_streaming else one,
            request_deserializer=_tolerant(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )
        return wrapped


def _tolerant(decode: Any) -> Callable[[bytes], Any]:
    def decoded(data: bytes) -> Any:
        try:
            return decode(data)
        except DecodeError:
            # The generated deserializer is the class method FromString.
            field = field_that_is_not_text(decode.__self__.DESCRIPTOR if hasattr(decode, "__self__") else None, data)
            if field:
                return _Undecodable(InvalidArgument.of(field, "must be valid UTF-8 without lone surrogates"))
            return _Undecodable(InvalidArgument.of("request", "is not a message of this method"))

    return decoded


def _checked(request: Any) -> Any:
    if isinstance(request, _Undecodable):
        raise request.error
    return request


async def _checked_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)
