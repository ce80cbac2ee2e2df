"""When a failed call is tried again, and after how long."""

import random
from dataclasses import dataclass

import grpc

from structmem._status import retry_delay_of

_TRANSIENT = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED})


@dataclass(frozen=True, slots=True)
class Retries:
    """At most `limit` further attempts, after 0.1 s, 0.2 s, 0.4 s, ... up to 5 s, each with full jitter of its upper half."""

    limit: int = 4
    initial: float = 0.1
    maximum: float = 5.0

    def delay(self, failure: grpc.RpcError, attempt: int, remaining: float | None, repeatable: bool) -> float | None:
        """Seconds to wait before the next attempt; None when the failure stands.

        Args:
            failure: what the attempt ended with.
            attempt: 1 for the first.
            remaining: seconds until the deadline; None without one.
            repeatable: whether doing the call twice is the same as once. If not, only a service that asks for it is asked again.
        """
        asked = retry_delay_of(failure)
        transient = failure.code() in _TRANSIENT and repeatable
        if attempt > self.limit or not (transient or asked is not None):
            return None
        backoff = min(self.maximum, self.initial * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)
        delay = max(backoff, asked.total_seconds() if asked is not None else 0.0)
        return None if remaining is not None and delay >= remaining else delay
