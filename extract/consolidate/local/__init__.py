"""The local consolidator: the sentences that say most of a group, by rules; no model and no network."""

from extract.consolidate.local.consolidator import LocalConsolidator

__all__ = ["LocalConsolidator"]
