"""`bench economics`: how many calls of a language model, and how many tokens, the memory of a conversation takes.

`model` is the model: a local server that counts; `answers` is what it says, `shown` what it reads; `coverage` finds every message in that,
`compressing` tells what compression did; `command` puts the steps in their order.
"""

from bench.economics.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
