"""What a context tells before its memories: whom a namespace is about, and the summaries that fit the query."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo

from graph.model import NodeKind, Summary
from graph.retrieval.answer import ContextEntry, SummaryHit

# What profiles, and summaries, may take of a budget each, as a part of it.
_SHARE = 4
# A sentence that is nothing but somebody's words.
_QUOTING = re.compile(r"[^\"“]{1,100} said: [\"“](.+)[\"”]\.?")
# The tokens of a text, where it has no more than so many; more than that where it has more.
Size = Callable[[str, int], int]


def profile_entries(profiles: Mapping[str, Summary], budget: int, zone: tzinfo, size: Size) -> list[ContextEntry]:
    """The profiles with as many of their sentences as there is room for: the same whatever is asked."""
    left = budget // _SHARE
    entries: list[ContextEntry] = []
    for namespace, profile in sorted(profiles.items()):
        whose = f" ({namespace})" if len(profiles) > 1 else ""
        head = f"About {profile.title or 'this memory'}{whose}, up to {profile.said_to.astimezone(zone):%Y-%m-%d}:"
        text = _fitting(head, [f"\n- {sentence.text}" for sentence in profile.sentences], left, size)
        if text:
            entries.append(_entry(namespace, profile, text, 0))
            left -= size(f"{text}\n\n", left)
    return entries


def summary_entries(hits: Sequence[SummaryHit], budget: int, zone: tzinfo, size: Size, told: Sequence[str] = ()) -> list[ContextEntry]:
    """The best summaries that there is room for, a line each, in the order of time.

    Left out are sentences that a better one tells, or one of the texts in `told`.
    """
    left = budget // _SHARE
    known = list(told)
    chosen: list[tuple[SummaryHit, str]] = []
    for hit in hits:
        summary = hit.summary
        first, last = (moment.astimezone(zone).date() for moment in (summary.said_from, summary.said_to))
        when = f"{first}" if first == last else f"{first} to {last}"
        new = [f" {sentence.text}" for sentence in summary.sentences if not _is_told(sentence.text, known)]
        text = _fitting(f"{when} {summary.heading}".rstrip() + ":", new, left, size)
        if text:
            known.append(text)
            chosen.append((hit, text))
            left -= size(f"{text}\n", left)
    chosen.sort(key=lambda pair: (pair[0].summary.said_from, pair[0].rank))
    return [_entry(hit.namespace, hit.summary, text, hit.rank) for hit, text in chosen]


def _is_told(sentence: str, told: Sequence[str]) -> bool:
    """Whether one of these texts has the sentence, or the words that it quotes, word for word."""
    words = " ".join(sentence.split())
    quoted = _QUOTING.fullmatch(words)
    return any(words in text or (quoted is not None and quoted[1] in text) for text in told)


def _fitting(head: str, sentences: Sequence[str], most: int, size: Size) -> str:
    """The head with the first sentences that fit; nothing where not even one does."""
    low, high = 0, len(sentences)
    while low < high:
        middle = (low + high + 1) // 2
        if size(head + "".join(sentences[:middle]) + "\n\n", most) <= most:
            low = middle
        else:
            high = middle - 1
    return head + "".join(sentences[:low]) if low else ""


def _entry(namespace: str, summary: Summary, text: str, rank: int) -> ContextEntry:
    return ContextEntry(namespace, summary.id, NodeKind.SUMMARY, text, summary.said_to, "", (), rank)
