"""`bench worst-texts`: how long a health check takes beside the worst texts that a caller can send.

`texts` makes them, `health` asks from a process of its own, `command` writes, asks with them and measures.
"""

from bench.worst_texts.command import HELP, add_arguments, run
from bench.worst_texts.texts import KINDS, worst_text

__all__ = ["HELP", "KINDS", "add_arguments", "run", "worst_text"]
