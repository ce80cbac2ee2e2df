"""Measuring, scoring and fusing candidates; how relevant they are; reranking; picking the hits."""
