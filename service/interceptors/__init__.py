"""What happens around every call, one concern a file: request ids, the access log, errors, deadlines, principals, encoding, decoding."""

import grpc

from graph.model import IdSource
from service.interceptors.access_log import AccessLog
from service.interceptors.deadlines import Deadlines
from service.interceptors.decoding import Decoding
from service.interceptors.encoding import Encoding
from service.interceptors.errors import Errors
from service.interceptors.principals import Principals
from service.interceptors.request_ids import RequestIds
from service.interceptors.writing import Writing
from service.token_file import TokenFile


def interceptors(ids: IdSource, tokens: TokenFile | None, most_bytes: int, stall_s: float) -> list[grpc.aio.ServerInterceptor]:
    """All of them, outermost first: the log sees the status that the errors make of what the inner ones raise.

    `most_bytes`: of an answer, or an element of a stream. `stall_s`: that the reader of a stream may stand still.
    """
    return [Writing(stall_s), RequestIds(ids), AccessLog(), Errors(ids), Deadlines(), Principals(tokens), Encoding(most_bytes), Decoding()]


__all__ = ["interceptors"]
