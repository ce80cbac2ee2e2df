"""Receipts of deletions as the contract has them, and the service's signature on them."""

import hashlib
import hmac
from collections.abc import Sequence

from structmem.v1 import deletion_service_pb2 as dpb
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import node_pb2

from graph.store.port import DeletedItem, DeletionReceipt
from service.convert.times import timestamp


class ReceiptSigner:
    """Signs receipts with HMAC-SHA-256 (RFC 2104), with a key that the store keeps and no client has."""

    def __init__(self, key: bytes) -> None:
        # A key of its own: what is signed here is never taken for a token of the service.
        self._key = hmac.digest(key, b"deletion receipt", hashlib.sha256)

    def signed(self, namespace: str, receipt: DeletionReceipt) -> pb.DeletionReceipt:
        """The receipt of a deletion in this namespace; that of a dry run, which has no id, is not signed."""
        proto = _receipt_to_proto(receipt)
        if receipt.id:
            proto.signature = self._signature(namespace, proto)
        return proto

    def is_authentic(self, namespace: str, receipt: pb.DeletionReceipt) -> bool:
        """Whether this service signed the receipt for this namespace, and nothing of it was changed."""
        return hmac.compare_digest(receipt.signature, self._signature(namespace, receipt))

    def _signature(self, namespace: str, receipt: pb.DeletionReceipt) -> bytes:
        unsigned = pb.DeletionReceipt()
        unsigned.CopyFrom(receipt)
        unsigned.ClearField("signature")
        return hmac.digest(self._key, namespace.encode() + b"\0" + unsigned.SerializeToString(deterministic=True), hashlib.sha256)


def _receipt_to_proto(receipt: DeletionReceipt) -> pb.DeletionReceipt:
    counts = [
        pb.DeletedCount(kind=node_pb2.NodeKind.ValueType(kind), count=count) for kind, count in sorted(receipt.counts.items()) if count
    ]
    return pb.DeletionReceipt(
        id=receipt.id,
        deleted_at=timestamp(receipt.deleted_at),
        counts=counts,
        revision=receipt.revision,
        missing_ids=receipt.missing_ids,
        deleted_by=receipt.deleted_by,
        extracted_anew_count=receipt.again,
        items_digest=receipt.digest,
    )


def items_to_proto(items: Sequence[DeletedItem]) -> list[dpb.DeletedItem]:
    """What a deletion took."""
    return [dpb.DeletedItem(id=item.id, cause=dpb.DeletionCause.ValueType(item.cause)) for item in items]
