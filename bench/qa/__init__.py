"""`bench qa`: questions of LoCoMo and LongMemEval, answered by a language model from what each system remembers, and judged by another.

`contexts/` has the systems that are compared, `protocol.py` the two protocols, `asking.py` the run, `figures.py` what comes out of
its files.
"""

from bench.qa.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
