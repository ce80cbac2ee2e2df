"""`bench faults`: a server that is killed at random moments must end with the same memory as one that never was.

`workload` writes the script of both runs, `driver` plays it against a server, `killing` kills the service and its Neo4j, `snapshot` reads a
memory by its content and compares two.
"""

from bench.faults.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
