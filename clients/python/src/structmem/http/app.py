"""The web application: routes, and what holds for every request: who may ask, how much, and how errors are told."""

import asyncio
import hmac
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from structmem._async_client import AsyncClient
from structmem._errors import StructMemError
from structmem.http.adding import RequestIds, add
from structmem.http.bodies import AddRequest, SearchRequest, read
from structmem.http.names import user_namespace
from structmem.http.refusals import Refusal, refusal_of
from structmem.http.searching import search

_log = logging.getLogger("structmem.http")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_MEGABYTE = 1_000_000
# Of a body that is too large so much is read and thrown away, so that its sender gets to read the answer.
_READ_BEYOND = 8
_HEALTH_TIMEOUT_S = 5.0
_MOST_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How the adapter works.

    Attributes:
        prefix: the namespace below which each user has one.
        key: what callers present, as a bearer token or as X-API-Key; empty: nothing, for calls from this machine.
        waits: `/add` answers when everything is extracted, and not as soon as the messages are durable.
        max_body_mb: largest body, in MB.
        max_concurrent: requests answered at once; others wait, their bodies unread.
        max_waiting: requests that wait; more are refused with 503.
        body_timeout_s: seconds within which a body must have come.
        call_timeout_s: seconds that the service has for a request.
    """

    prefix: str = "users"
    key: str = ""
    waits: bool = False
    max_body_mb: float = 8.0
    max_concurrent: int = 64
    max_waiting: int = 1000
    body_timeout_s: float = 60.0
    call_timeout_s: float = 600.0


def make_app(connect: Callable[[], AsyncClient], options: HttpOptions) -> Starlette:
    """The application; `connect` gives the client that it uses while it runs."""
    return _Adapter(connect, options).app


class _Adapter:
    def __init__(self, connect: Callable[[], AsyncClient], options: HttpOptions) -> None:
        self._connect = connect
        self._options = options
        self._turns = asyncio.Semaphore(options.max_concurrent)
        self._waiting = 0
        self._tokens: OrderedDict[str, str] = OrderedDict()
        self.app = Starlette(
            routes=[
                Route("/health", self._answered(self._health, is_open=True), methods=["GET"]),
                Route("/add", self._answered(self._add), methods=["POST"]),
                Route("/search", self._answered(self._search), methods=["POST"]),
            ],
            exception_handlers={HTTPException: _unknown_route},
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with self._connect() as self._client:
            self._request_ids = RequestIds(self._client, self._options.prefix)
            yield

    async def _health(self, _: Request) -> Mapping[str, Any]:
        info = await self._client.server_info(timeout=_HEALTH_TIMEOUT_S)
        return {"status": "ok", "version": info.version}

    async def _add(self, request: Request) -> Mapping[str, Any]:
        asked = read(AddRequest, await self._body(request))
        stored = await add(self._client, self._request_ids, self._options.prefix, asked)
        self._remember(user_namespace(self._options.prefix, asked.user_id), stored[-1].consistency_token)
        if self._options.waits:
            for part in stored:
                await self._client.wait_for(part, timeout=self._options.call_timeout_s)
        return {"success": True, "request_id": asked.request_id, "user_id": asked.user_id, "session_id": asked.session_id}

    async def _search(self, request: Request) -> Mapping[str, Any]:
        asked = read(SearchRequest, await self._body(request))
        at_least = self._tokens.get(user_namespace(self._options.prefix, asked.user_id), "")
        return {"data": await search(self._client, self._options.prefix, asked, at_least)}

    def _remember(self, namespace: str, token: str) -> None:
        """What was added here is found by the next search here, also where other services answer it."""
        self._tokens[namespace] = token
        self._tokens.move_to_end(namespace)
        if len(self._tokens) > _MOST_TOKENS:
            self._tokens.popitem(last=False)

    def _answered(
        self, answer: Callable[[Request], Awaitable[Mapping[str, Any]]], is_open: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                if not is_open:
                    self._check_caller(request)
                async with asyncio.timeout(self._options.call_timeout_s), self._turn():
                    return JSONResponse(await answer(request))
            except Refusal as refusal:
                return refusal.response()
            except StructMemError as error:
                return refusal_of(error).response()
            except TimeoutError:
                return Refusal(504, "DEADLINE_EXCEEDED", "the service did not answer in time").response()
            except ClientDisconnect:
                return Response(status_code=499)
            except Exception:  # noqa: BLE001  # a caller gets JSON whatever happens, and the log the traceback
                _log.exception("a request could not be answered")
                return Refusal(500, "INTERNAL", "a fault of the adapter; its log has more").response()

        return endpoint

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= self._options.max_waiting:
            raise Refusal(503, "TOO_MANY_REQUESTS", f"{self._waiting} requests wait already; try again", retry_after=1)
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    def _check_caller(self, request: Request) -> None:
        if not self._options.key:
            # A page that a browser shows must not reach a memory on this machine under a name of its own (DNS rebinding).
            if request.url.hostname not in _LOOPBACK:
                raise Refusal(403, "PERMISSION_DENIED", "without a key only this machine may ask, by 127.0.0.1 or localhost")
            return
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        given = [bearer.strip() if scheme.lower() in ("bearer", "token") else "", request.headers.get("x-api-key", "")]
        if not any(hmac.compare_digest(one.encode(), self._options.key.encode()) for one in given):
            raise Refusal(401, "UNAUTHENTICATED", "the key is wrong or missing: Authorization: Bearer KEY, or X-API-Key")

    async def _body(self, request: Request) -> bytes:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type: must be application/json; it is {kind or 'missing'}")
        limit = int(self._options.max_body_mb * _MEGABYTE)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._options.body_timeout_s):
                async for part in request.stream():
                    size += len(part)
                    if size <= limit:
                        parts.append(part)
                    elif size > _READ_BEYOND * limit:
                        break
        except TimeoutError:
            raise Refusal(408, "BODY_TOO_SLOW", f"the body did not come within {self._options.body_timeout_s:g} s") from None
        if size > limit:
            raise Refusal(413, "BODY_TOO_LARGE", f"the body must be at most {self._options.max_body_mb:g} MB; send fewer messages at once")
        return b"".join(parts)


async def _unknown_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = error.headers if isinstance(error, HTTPException) else None
    reason, text = ("METHOD_NOT_ALLOWED", "this path has another method") if status == 405 else ("NOT_FOUND", "there is no such path")
    response = Refusal(
        status, reason, f"{request.method} {request.url.path}: {text}; there are POST /add, POST /search, GET /health"
    ).response()
    response.headers.update(headers or {})
    return response
