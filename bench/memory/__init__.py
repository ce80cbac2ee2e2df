"""`bench memory`: how much memory the service takes with very long messages.

`texts` makes them, `calls` writes and reads them, `resident` tells what the service holds, `command` puts the steps in their order.
"""

from bench.memory.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
