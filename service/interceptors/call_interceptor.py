"""The base of our interceptors, which wrap every call of the contract, whether one message or a stream comes or goes.

Health and reflection are left alone: they are open to all and are not ours.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc

from graph.errors import StructMemError

PACKAGE = "/structmem.v1."
if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:
    # Generic for type checkers only: at run time these classes take no parameters.
    Context = grpc.aio.ServicerContext
    Handler = grpc.RpcMethodHandler


class CallInterceptor(grpc.aio.ServerInterceptor):
    """An interceptor that wraps each call in an asynchronous context manager. Errors raised in the call pass through it."""

    @abstractmethod
    def around(self, method: str, context: Context) -> AbstractAsyncContextManager[None]:
        """What to do around one call."""

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]], handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """The handler, wrapped."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(PACKAGE):
            return handler
        return _wrapped(handler, lambda context: self.around(method, context))


def _wrapped(handler: Any, around: Callable[[Context], AbstractAsyncContextManager[None]]) -> Handler:
    codec = {"request_deserializer": handler.request_deserializer, "response_serializer": handler.response_serializer}
    inner = handler.stream_stream or handler.stream_unary or handler.unary_stream or handler.unary_unary

    async def one(request: Any, context: Context) -> Any:
        async with around(context):
            return await inner(request, context)

    async def many(request: Any, context: Context) -> AsyncIterator[Any]:
        async with around(context), aclosing(inner(request, context)) as responses:
            async for response in responses:
                try:
                    yield response
                except StructMemError as error:
                    # Whoever takes the responses ends the call with it: it is the call's own error, raised where the call stands.
                    await responses.athrow(error)

    shape = ("stream" if handler.request_streaming else "unary") + "_" + ("stream" if handler.response_streaming else "unary")
    make = getattr(grpc, f"{shape}_rpc_method_handler")
    wrapped: Handler = make(many if handler.response_streaming else one, **codec)
    return wrapped
