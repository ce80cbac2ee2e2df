"""Measuring, scoring and fusing candidates; how relevant they are; reranking; picking the hits.

`fuse` gives a candidate its score, of the channels' scores (`channel_scores`, with BM25 in `scoring`) and of what the question asks for
(`question_signals`); the weights stand in `graph.retrieval.recipes`.
"""
