"""Golden queries: a user's own questions with the memories that should answer them, read from a file, asked and counted."""

from service.cli.golden.asking import Judged, asked
from service.cli.golden.expecting import Directory
from service.cli.golden.questions import Question, read_questions

__all__ = ["Directory", "Judged", "Question", "asked", "read_questions"]
