"""How a client reaches the service: address, TLS, token, timeout, retries."""

import os
from dataclasses import dataclass, field

import grpc

from structmem._retry import Retries

DEFAULT_TARGET = "127.0.0.1:7600"
_SERVICE_CONFIG = '{"loadBalancingConfig": [{"round_robin": {}}]}'
# The service bounds what it accepts; what it answers (a page of long messages) may be larger than gRPC's 4 MB.
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),
    ("grpc.service_config", _SERVICE_CONFIG),
)


@dataclass(frozen=True, slots=True)
class Options:
    """All that a transport needs. `timeout` in seconds is the default of unary calls."""

    target: str
    token: str
    tls: bool
    root_certificates: bytes | None
    timeout: float | None
    retries: Retries = field(default_factory=Retries)

    @classmethod
    def of(
        cls,
        target: str | None,
        token: str | None,
        tls: bool,
        root_certificates: bytes | None,
        timeout: float | None,
        retries: int,
    ) -> "Options":
        """Fills what is not given from STRUCTMEM_TARGET and STRUCTMEM_TOKEN."""
        return cls(
            target=target or os.environ.get("STRUCTMEM_TARGET") or DEFAULT_TARGET,
            token=os.environ.get("STRUCTMEM_TOKEN", "") if token is None else token,
            tls=tls or root_certificates is not None,
            root_certificates=root_certificates,
            timeout=timeout,
            retries=Retries(retries),
        )

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes along with each call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    @property
    def credentials(self) -> grpc.ChannelCredentials | None:
        """TLS credentials; None for a plain connection."""
        return grpc.ssl_channel_credentials(self.root_certificates) if self.tls else None
