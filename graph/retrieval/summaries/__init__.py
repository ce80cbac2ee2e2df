"""Summaries beside the memories of an answer: found by words and vectors of their own, with statistics of their own."""
