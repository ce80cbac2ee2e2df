"""Which turns answer the one before them, so that no segment parts the two."""

import re

from graph.model import Message, Role

# The question mark of Latin, Greek (which a semicolon looks like, and is no sure sign), Arabic, CJK and Armenian scripts.
_QUESTION_MARKS = "?\uff1f\u061f\u055e"
# What may follow the mark: signs and emoji, no word.
_ENDS_IN_QUESTION = re.compile(rf"[{_QUESTION_MARKS}][\W_]*\Z")
# Only the end of a text is looked at, however long it is.
_END = 200


def answers(before: Message, message: Message) -> bool:
    """Whether the message answers the one right before it: another's question, or what a user said to an assistant."""
    if before.role is Role.USER and message.role is Role.ASSISTANT:
        return True
    if (before.speaker, before.role) == (message.speaker, message.role):
        return False
    return bool(_ENDS_IN_QUESTION.search(before.text[-_END:]))
