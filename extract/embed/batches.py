"""Batches of texts of like length, so that little of a batch is padding."""

from collections.abc import Iterator, Sequence

# Padded word pieces a batch: large enough that a run's fixed cost vanishes, small enough that a run takes a fraction of a second and other
# callers get their turn (measured on LoCoMo turns, one core: 1,024 and more are equally fast, 256 is 5 % slower).
TOKEN_BUDGET = 2_048


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
