"""`bench reconcile`: whether a later message is rightly taken to replace an earlier one, to say the same, or to stand beside it.

`pairs` reads the pairs of tests/extract/reconcile (a half to work with, a half that is held out), `counting` compares what was decided with
what is right, `by_rules` asks the service's rules.
"""

from bench.reconcile.by_rules import run
from bench.reconcile.command import HELP, add_arguments

__all__ = ["HELP", "add_arguments", "run"]
