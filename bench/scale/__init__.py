"""`bench scale`: how loading and asking grow with the number of messages, on synthetic conversations with vectors given.

`words` and `vectors` make text and vectors with the statistics of real ones, `conversations` the graph around them, `spool` keeps what was
made until `loading` streams it to the server, `measuring` asks.
"""

from bench.scale.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
