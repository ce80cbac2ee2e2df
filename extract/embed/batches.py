"""Batches of texts of like length, so that little of a batch is padding."""

from collections.abc import Iterator, Sequence

# Padded word pieces a batch: large enough that a run's fixed cost vanishes, small enough that others soon get their turn. Measured on
# chat turns, one core, texts a second: single texts 108, 128 pieces 134, 512 pieces 120 to 130, 2,048 pieces 102 to 117 (out of cache).
TOKEN_BUDGET = 256


def batches_by_length(lengths: Sequence[int], budget: int = TOKEN_BUDGET) -> Iterator[list[int]]:
    """Indexes of the texts in batches, shortest first; each batch takes at most `budget` padded word pieces, or holds one text."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * lengths[index] > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
