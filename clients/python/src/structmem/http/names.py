"""Names of namespaces and sessions for ids of any characters. Two ids never have one name."""

import hashlib
import re

# A segment of a namespace's name, shorter than it may be, so that there is room for the prefix.
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.@-]{0,99}\Z")
_HASHED = "sha256:"
_LONGEST_SESSION = 200


def user_namespace(prefix: str, user_id: str) -> str:
    """The namespace of a user: below the prefix, by its id where that can be a segment, else "@" and its SHA-256."""
    segment = user_id if _SEGMENT.match(user_id) else f"@{digest(user_id)}"
    return f"{prefix}/{segment}"


def requests_namespace(prefix: str) -> str:
    """The namespace that holds request ids. No user has it: what begins with "@" is hashed."""
    return f"{prefix}/@requests"


def session_name(session_id: str) -> str:
    """The session's name: its id, or its SHA-256 where that is too long or blank, or looks like one."""
    if len(session_id) <= _LONGEST_SESSION and session_id.strip() and not session_id.startswith(_HASHED):
        return session_id
    return _HASHED + digest(session_id)


def digest(text: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
