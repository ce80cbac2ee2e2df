"""Time expressions: what "last Friday" or "in May 2023" means when said at a time in a zone.

Each file holds one table of rules; `compose` joins what they find and `find` runs them.
"""

from graph.text.times.cue import has_time_cue
from graph.text.times.find import find_query_times, find_times
from graph.text.times.unresolved import unresolved_time

__all__ = ["find_query_times", "find_times", "has_time_cue", "unresolved_time"]
