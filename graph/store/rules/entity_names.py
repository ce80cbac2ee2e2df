"""Names of entities as they are compared."""

import unicodedata


def folded(name: str) -> str:
    """A name as it is compared: without differences of case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
