"""Segmentation: the messages of a session cut into runs of one topic, as a pure function of what came before each boundary."""

from extract.segment.attention import segment_as_read
from extract.segment.recipe import Segmentation, SegmentRecipe
from extract.segment.segment import Segments, segment

__all__ = ["SegmentRecipe", "Segmentation", "Segments", "segment", "segment_as_read"]
