"""Finds out who calls: the one seam that yields a principal for every call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graph.errors import Unauthenticated
from service import call_context
from service.authorize import LOCAL, Principal
from service.interceptors.call_interceptor import CallInterceptor, Context
from service.token_file import TokenFile

_SCHEME = "bearer "


class Principals(CallInterceptor):
    """Takes the bearer token of the `authorization` header. Without a token file everybody is "local": the service listens on loopback."""

    def __init__(self, tokens: TokenFile | None) -> None:
        self._tokens = tokens

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Notes the principal in the call's record. Raises Unauthenticated."""
        call_context.current().principal = self._principal(context)
        yield

    def _principal(self, context: Context) -> Principal:
        if self._tokens is None:
            return LOCAL
        given = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
        if len(given) != 1 or not isinstance(given[0], str) or given[0][: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated('a token is needed, as "authorization: Bearer TOKEN"')
        return self._tokens.principal_of(given[0][len(_SCHEME) :].strip())
