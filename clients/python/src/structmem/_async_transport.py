"""Carries calls over a grpc.aio channel."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import grpc

from structmem._calls import Call
from structmem._options import CHANNEL_OPTIONS, Options
from structmem._recording import RecordingIterator
from structmem._status import error_of
from structmem._stubs import stubs
from structmem._transport import blocking_channel

R = TypeVar("R")
T = TypeVar("T")


class AsyncTransport:
    """One channel, opened on first use in the event loop that uses it, and a blocking one once something is uploaded."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._channel: grpc.aio.Channel | None = None
        self._stubs: dict[str, Any] = {}
        self._uploads: grpc.Channel | None = None
        self._upload_stubs: dict[str, Any] = {}

    async def unary(self, call: Call[R], timeout: float | None) -> R:
        """Sends one request and reads one answer, trying again where that may help."""
        deadline = _deadline(self._options.timeout if timeout is None else timeout)
        attempt = 0
        while True:
            attempt += 1
            try:
                return call.parse(await self._method(call)(call.request, timeout=_left(deadline), metadata=self._options.metadata))
            except grpc.RpcError as failure:
                await self._wait_or_raise(failure, attempt, deadline, call.repeatable)

    async def stream(self, call: Call[R], timeout: float | None) -> AsyncIterator[R]:
        """Sends one request and reads a stream of answers; tries again only before the first."""
        deadline = _deadline(timeout)
        attempt = 0
        started = False
        while True:
            attempt += 1
            answers = self._method(call)(call.request, timeout=_left(deadline), metadata=self._options.metadata)
            try:
                async for answer in answers:
                    started = True
                    yield call.parse(answer)
                return
            except grpc.RpcError as failure:
                if started:
                    raise error_of(failure, self._options.target) from None
                await self._wait_or_raise(failure, attempt, deadline, call.repeatable)
            finally:
                answers.cancel()

    async def upload(self, call: Call[R], timeout: float | None) -> R:
        """Sends a stream of requests, made in a thread, and reads one answer. What the requests' iterator raises is raised here.

        It goes over a blocking channel: where the service answers before it has read everything, grpc.aio (1.85.1 and before, see
        https://github.com/grpc/grpc/issues/36066) may put "Internal error from Core" in place of that answer's status.
        """
        requests = RecordingIterator(call.request)
        running = self._upload_method(call).future(requests, timeout=timeout, metadata=self._options.metadata)
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        running.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
        try:
            await ended.wait()
            answer = running.result()
        except grpc.RpcError as failure:
            raise (requests.error or error_of(failure, self._options.target)) from None
        finally:
            running.cancel()
        if requests.error is not None:
            raise requests.error
        return call.parse(answer)

    async def run_blocking(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs a function that blocks, such as one that writes a file, in a thread."""
        return await asyncio.to_thread(function, *arguments)

    async def close(self) -> None:
        """Closes the channels."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None
        if self._uploads is not None:
            await asyncio.to_thread(self._uploads.close)
            self._uploads = None

    def _method(self, call: Call[R]) -> Any:
        if self._channel is None:
            credentials = self._options.credentials
            if credentials is None:
                self._channel = grpc.aio.insecure_channel(self._options.target, CHANNEL_OPTIONS)
            else:
                self._channel = grpc.aio.secure_channel(self._options.target, credentials, CHANNEL_OPTIONS)
            self._stubs = stubs(self._channel)
        return getattr(self._stubs[call.service], call.method)

    def _upload_method(self, call: Call[R]) -> Any:
        if self._uploads is None:
            self._uploads = blocking_channel(self._options)
            self._upload_stubs = stubs(self._uploads)
        return getattr(self._upload_stubs[call.service], call.method)

    async def _wait_or_raise(self, failure: grpc.RpcError, attempt: int, deadline: float | None, repeatable: bool) -> None:
        delay = self._options.retries.delay(failure, attempt, _left(deadline), repeatable)
        if delay is None:
            raise error_of(failure, self._options.target) from None
        await asyncio.sleep(delay)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
