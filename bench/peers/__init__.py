"""`bench peers`: another memory on the same Neo4j server, with the same vectors and the same questions, beside ours in one run.

`graph` is what the peer is given, `chats` and `synthetic` make it, `graphiti` loads and searches it as graphiti-core does; `quality` and
`speed` measure.
"""

from bench.peers.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
