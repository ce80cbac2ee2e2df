"""DeleteMemories, and the calls of DeletionService; see `structmem._calls`."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from structmem import _answers as a
from structmem import _decode as d
from structmem import _decode_answers as da
from structmem import _encode as e
from structmem._calls import Call, Page, new_request_id
from structmem._checks import one, several
from structmem._errors import InvalidArgumentError
from structmem._inputs import ConsistencyTokens, LabelFilter, TimeRange
from structmem._kinds import DeletionCause, NodeKind
from structmem.v1 import deletion_service_pb2 as dpb
from structmem.v1 import memory_service_pb2 as mpb
from structmem.v1 import node_pb2


def delete_memories(namespace: str, ids: Sequence[str], dry_run: bool, request_id: str) -> Call[a.DeletionReceipt]:
    """DeleteMemories, of ids."""
    return _delete(namespace, dry_run, request_id, memories=e.build(mpb.MemoryIds, ids=several("ids", ids)))


def delete_session(namespace: str, session: str, dry_run: bool, request_id: str) -> Call[a.DeletionReceipt]:
    """DeleteMemories, of a session."""
    return _delete(namespace, dry_run, request_id, session=session)


def delete_messages(
    namespace: str,
    sessions: Sequence[str],
    speakers: Sequence[str],
    said: TimeRange | None,
    labels: LabelFilter | None,
    dry_run: bool,
    request_id: str,
) -> Call[a.DeletionReceipt]:
    """DeleteMemories, of messages for which something holds."""
    selector = e.build(
        mpb.MessageSelector,
        sessions=several("sessions", sessions),
        speakers=several("speakers", speakers),
        said=e.time_range("said", said),
        labels=e.label_filter("labels", labels),
    )
    return _delete(namespace, dry_run, request_id, messages=selector)


def _delete(namespace: str, dry_run: bool, request_id: str, **selector: object) -> Call[a.DeletionReceipt]:
    request = e.build(
        mpb.DeleteMemoriesRequest, namespace=namespace, dry_run=dry_run, request_id=request_id or new_request_id(), **selector
    )
    return Call("memory", "DeleteMemories", request, lambda it: da.receipt(it.receipt, it.consistency_token))


def list_deletions(namespace: str, at_least: ConsistencyTokens, page_size: int | None, page_token: str) -> Call[Page[a.DeletionReceipt]]:
    """ListDeletions, one page."""
    request = e.build(
        dpb.ListDeletionsRequest,
        namespace=namespace,
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return Call("deletion", "ListDeletions", request, lambda it: ([da.receipt(x) for x in it.receipts], it.next_page_token))


def list_deleted_items(
    namespace: str, receipt_id: str, at_least: ConsistencyTokens, page_size: int | None, page_token: str
) -> Call[Page[a.DeletedItem]]:
    """ListDeletedItems, one page."""
    request = e.build(
        dpb.ListDeletedItemsRequest,
        namespace=namespace,
        receipt_id=receipt_id,
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )

    def parse(it: dpb.ListDeletedItemsResponse) -> Page[a.DeletedItem]:
        return [a.DeletedItem(x.id, d.kind(DeletionCause, dpb.DeletionCause, x.cause)) for x in it.items], it.next_page_token

    return Call("deletion", "ListDeletedItems", request, parse)


def check_deletion(namespace: str, receipt: a.DeletionReceipt, at_least: ConsistencyTokens) -> Call[a.DeletionCheck]:
    """CheckDeletion."""
    one("receipt", receipt, a.DeletionReceipt)
    request = e.build(dpb.CheckDeletionRequest, namespace=namespace, receipt=_receipt_to_proto(receipt), at_least=e.tokens(at_least))

    def parse(it: dpb.CheckDeletionResponse) -> a.DeletionCheck:
        return a.DeletionCheck(it.authentic, it.kept, it.item_count, tuple(it.found_ids))

    return Call("deletion", "CheckDeletion", request, parse)


def _receipt_to_proto(it: a.DeletionReceipt) -> mpb.DeletionReceipt:
    """The receipt as it was signed: counts in the order of the contract's numbers."""
    deleted_at = Timestamp()
    if it.deleted_at is not None:
        deleted_at.FromDatetime(it.deleted_at)
    counts = sorted((e.number_of("counts", NodeKind, node_pb2.NodeKind, kind), count) for kind, count in it.counts.items())
    return e.build(
        mpb.DeletionReceipt,
        id=it.id,
        deleted_at=None if it.deleted_at is None else deleted_at,
        counts=[mpb.DeletedCount(kind=node_pb2.NodeKind.ValueType(kind), count=count) for kind, count in counts],
        revision=it.revision,
        missing_ids=list(it.missing_ids),
        deleted_by=it.deleted_by,
        extracted_anew_count=it.extracted_anew_count,
        items_digest=_bytes("items_digest", it.items_digest),
        signature=_bytes("signature", it.signature),
    )


def _bytes(field: str, digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except (TypeError, ValueError):
        raise InvalidArgumentError.of(f"receipt.{field}", "must be hexadecimal digits") from None
