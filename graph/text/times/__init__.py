"""Time expressions: what "last Friday" or "in May 2023" means when said at a time in a zone. A table of rules a file, put together by `find`."""

from graph.text.times.cue import has_time_cue
from graph.text.times.find import find_query_times, find_times

__all__ = ["find_query_times", "find_times", "has_time_cue"]
