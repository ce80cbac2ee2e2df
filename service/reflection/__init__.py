"""Server reflection, v1 and v1alpha: what tools such as grpcurl and ghz ask to learn the contract.

The messages are grpcio-reflection's. Its servicer finds no method, has no v1, and leaves out JSON names and
comments (docs/decisions.md#reflection).
"""

from service.reflection.servicer import SERVICE_NAMES, register_reflection

__all__ = ["SERVICE_NAMES", "register_reflection"]
