"""Terms as 64-bit numbers: what the inverted index and the passages' rows hold instead of text."""

from functools import lru_cache
from hashlib import blake2b

# Two of a million distinct terms share a hash with probability 3e-8 (birthday bound, n²/2⁶⁵); the index then takes them for one term.
_CACHED_TERMS = 100_000


@lru_cache(maxsize=_CACHED_TERMS)
def term_hash(term: str) -> int:
    """The hash of a term: the first 64 bits of BLAKE2b, big-endian; the same in every process and version."""
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
