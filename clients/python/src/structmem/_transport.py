"""Carries calls over a grpc channel, blocking."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc

from structmem._calls import Call
from structmem._options import CHANNEL_OPTIONS, Options
from structmem._recording import RecordingIterator
from structmem._status import error_of
from structmem._stubs import stubs

R = TypeVar("R")
T = TypeVar("T")


class Transport:
    """One channel, shared by threads."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._channel = blocking_channel(options)
        self._stubs = stubs(self._channel)

    def unary(self, call: Call[R], timeout: float | None) -> R:
        """Sends one request and reads one answer, trying again where that may help."""
        deadline = _deadline(self._options.timeout if timeout is None else timeout)
        attempt = 0
        while True:
            attempt += 1
            try:
                return call.parse(self._method(call)(call.request, timeout=_left(deadline), metadata=self._options.metadata))
            except grpc.RpcError as failure:
                self._wait_or_raise(failure, attempt, deadline, call.repeatable)

    def stream(self, call: Call[R], timeout: float | None) -> Iterator[R]:
        """Sends one request and reads a stream of answers; tries again only before the first."""
        deadline = _deadline(timeout)
        attempt = 0
        started = False
        while True:
            attempt += 1
            answers = self._method(call)(call.request, timeout=_left(deadline), metadata=self._options.metadata)
            try:
                for answer in answers:
                    started = True
                    yield call.parse(answer)
                return
            except grpc.RpcError as failure:
                if started:
                    raise error_of(failure, self._options.target) from None
                self._wait_or_raise(failure, attempt, deadline, call.repeatable)
            finally:
                answers.cancel()

    def upload(self, call: Call[R], timeout: float | None) -> R:
        """Sends a stream of requests and reads one answer. What the requests' iterator raises is raised here."""
        requests = RecordingIterator(call.request)
        try:
            answer = self._method(call)(requests, timeout=timeout, metadata=self._options.metadata)
        except grpc.RpcError as failure:
            raise (requests.error or error_of(failure, self._options.target)) from None
        if requests.error is not None:
            raise requests.error
        return call.parse(answer)

    def run_blocking(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs a function that blocks, such as one that writes a file."""
        return function(*arguments)

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _method(self, call: Call[R]) -> Any:
        return getattr(self._stubs[call.service], call.method)

    def _wait_or_raise(self, failure: grpc.RpcError, attempt: int, deadline: float | None, repeatable: bool) -> None:
        delay = self._options.retries.delay(failure, attempt, _left(deadline), repeatable)
        if delay is None:
            raise error_of(failure, self._options.target) from None
        time.sleep(delay)


def blocking_channel(options: Options) -> grpc.Channel:
    """A channel of its own to the service that the options name; whoever asked closes it."""
    if options.credentials is None:
        return grpc.insecure_channel(options.target, CHANNEL_OPTIONS)
    return grpc.secure_channel(options.target, options.credentials, CHANNEL_OPTIONS)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
