"""What is known of the call that is being answered: shared by interceptors and handlers of one call, through a context variable."""

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field

import grpc

from service.authorize import NOBODY, Principal


@dataclass(slots=True)
class CallContext:
    """One call. Interceptors fill it in as they learn more.

    Attributes:
        method: "/structmem.v1.MemoryService/Retrieve".
        request_id: the caller's, or one of ours.
        principal: who calls.
        deadline: on the event loop's clock, in seconds; None when the caller set none.
        namespaces: what it is about, for the access log.
        code: how it ended.
        reason: the reason of the error that ended it.
    """

    method: str = ""
    request_id: str = ""
    principal: Principal = NOBODY
    deadline: float | None = None
    namespaces: tuple[str, ...] = ()
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    facts: dict[str, object] = field(default_factory=dict)

    def remaining(self) -> float | None:
        """Seconds left until the caller's deadline, at least 0; None without one."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - asyncio.get_running_loop().time())


_current: ContextVar[CallContext] = ContextVar("call")


def begin(call: CallContext) -> None:
    """Makes this the call of the current task."""
    _current.set(call)


def current() -> CallContext:
    """The call that is being answered; outside of one, an empty call of nobody's."""
    return _current.get(CallContext())
