"""Copying namespaces from one memory to another: what the two ends may be, what is read of each, and how they compare."""

from service.cli.copying.ends import End, Reach, end_of, opened
from service.cli.copying.moving import Copied, Outcome, Watch, copied, verified

__all__ = ["Copied", "End", "Outcome", "Reach", "Watch", "copied", "end_of", "opened", "verified"]
