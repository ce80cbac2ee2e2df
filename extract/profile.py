"""A namespace's profile applied to what an extractor found, whichever it was."""

from dataclasses import replace

from extract.port import EventDraft, Extraction
from graph.model import ExtractionProfile, NodeKind


def keep_types(extraction: Extraction, profile: ExtractionProfile) -> Extraction:
    """Leaves out relations of other types than the profile names, and events of which nothing is left."""
    allowed = {one.name for one in profile.relation_types}
    if not allowed:
        return extraction
    kept = [_narrowed(event, allowed) for event in extraction.events]
    # Events keep their places until `resolve` drops the empty ones: `causes` are indexes.
    return replace(extraction, events=tuple(kept))


def _narrowed(event: EventDraft, allowed: set[str]) -> EventDraft:
    return replace(
        event, statements=tuple(one for one in event.statements if one.kind is not NodeKind.RELATION or one.predicate in allowed)
    )
