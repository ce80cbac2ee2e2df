"""`bench changes`: whether a memory answers with what holds now, keeps what still holds, and knows what held at a date.

`chats.json` holds conversations of the project's own in which things change, `questions` reads such files, `asking` asks,
`counting` judges.
"""

from bench.changes.command import HELP, add_arguments, run

__all__ = ["HELP", "add_arguments", "run"]
