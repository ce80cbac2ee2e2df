"""Numbers with their nouns, for people."""


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 memory", "2,000 memories"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"
