"""What keeps a server from being started on this machine."""


class Missing(Exception):
    """Something that a server needs is not here; the message says what, for the person who wants to have it."""
