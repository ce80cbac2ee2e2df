"""From one level to the next: a group with its draft as what threads are made of, and as a source of the summary above."""

from collections import Counter
from collections.abc import Iterable

from extract.consolidate.port import Background, Source, SourceGroup, SourceSentence, SummaryDraft
from extract.consolidate.threads import ThreadItem
from graph.model import TimeSpan
from graph.store.port import Float16Vector
from graph.text import terms_of


def thread_item(id_: str, group: SourceGroup, draft: SummaryDraft, sessions: Iterable[str], vector: Float16Vector | None) -> ThreadItem:
    """A window as threads see it: the words of its summary, and the vector of `text_of` it.

    The mean of the statements' vectors tells windows apart worse: all statements name the same people.
    """
    said_from, said_to = min(source.said_from for source in group.sources), max(source.said_to for source in group.sources)
    return ThreadItem(id_, Counter(terms_of(text_of(draft))), said_from, said_to, frozenset(sessions), vector)


def source_of_draft(id_: str, group: SourceGroup, draft: SummaryDraft) -> Source:
    """A summary as a source of the one above. Its sentences have their dates in their words."""
    names = dict.fromkeys(name for source in group.sources for name in source.names)
    return Source(
        id_,
        draft.title,
        tuple(SourceSentence(sentence.text) for sentence in draft.sentences),
        min(source.said_from for source in group.sources),
        max(source.said_to for source in group.sources),
        _span(group),
        tuple(names),
    )


def background_of(drafts: Iterable[SummaryDraft]) -> Background:
    """In how many of these summaries each term stands."""
    counts: Counter[str] = Counter()
    texts = [text_of(draft) for draft in drafts]
    for text in texts:
        counts.update(set(terms_of(text)))
    return Background(len(texts), counts)


def text_of(draft: SummaryDraft) -> str:
    """What is embedded of a summary: its title and its sentences."""
    return " ".join((draft.title, *(sentence.text for sentence in draft.sentences)))


def _span(group: SourceGroup) -> TimeSpan | None:
    """From when to when it happened, as exactly as the least exact of its sources tells."""
    spans = [source.time for source in group.sources if source.time is not None]
    if not spans:
        return None
    return TimeSpan(min(one.start for one in spans), max(one.end for one in spans), max(one.granularity for one in spans))
