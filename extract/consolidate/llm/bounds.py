"""How much of a group a model reads: what is written again with each new window must not cost more with each."""

from collections.abc import Iterable
from dataclasses import replace

from extract.consolidate.port import Source, SourceGroup

# Of a thread the windows said last: at some ten sentences each as much as a model reads with care, about 20,000 tokens. What was before is
# known from what stands of the thread.
MOST_WINDOWS = 60
# Of a profile the threads: each has up to a dozen sentences. Half are those said last, which tell how things stand; half the largest of the
# others, which tell what has long been.
MOST_THREADS = 100


def latest_windows(group: SourceGroup) -> SourceGroup:
    """A thread's group as far as it is read. Only where windows are left out its context, what stands of the thread, is read with them."""
    if len(group.sources) <= MOST_WINDOWS:
        return replace(group, context=())
    ordered = sorted(group.sources, key=lambda source: (source.said_to, source.id), reverse=True)
    return _only(group, ordered[:MOST_WINDOWS])


def main_threads(group: SourceGroup) -> SourceGroup:
    """A profile's group as far as it is read."""
    if len(group.sources) <= MOST_THREADS:
        return group
    ordered = sorted(group.sources, key=lambda source: (source.said_to, source.id), reverse=True)
    latest, others = ordered[: MOST_THREADS // 2], ordered[MOST_THREADS // 2 :]
    # The sort keeps the order of those of one size: the later one is first.
    largest = sorted(others, key=lambda source: source.size, reverse=True)[: MOST_THREADS - len(latest)]
    return _only(group, [*latest, *largest])


def _only(group: SourceGroup, chosen: Iterable[Source]) -> SourceGroup:
    """The group with these sources alone, in its order."""
    ids = {source.id for source in chosen}
    return replace(group, sources=tuple(source for source in group.sources if source.id in ids))
