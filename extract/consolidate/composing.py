"""Between the graph and a consolidator: sources and clustered items from events and summaries, and summaries from drafts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from extract.consolidate.port import Background, SentenceDraft, Source, SourceSentence, SummaryDraft
from extract.consolidate.threads import ThreadItem
from graph.model import Event, Granularity, Seed, Statement, Summary, SummaryLevel, SummarySentence, TimeSpan
from graph.store.port import Float16Vector
from graph.store.port.consolidating import MAX_SENTENCE, MAX_SENTENCES, MAX_TITLE
from graph.text import terms_of

# Names that a summary carries, those of whom most is told first.
_MOST_NAMES = 20


def source_of_event(event: Event, statements: Sequence[Statement], vectors: Mapping[str, Float16Vector]) -> Source:
    """An event as a source. `vectors` are those of the statements' first passages, by statement id."""
    sentences = tuple(SourceSentence(one.text, one.time or event.time, vectors.get(one.id)) for one in statements)
    names = dict.fromkeys(part.name for part in event.participants if part.name)
    return Source(event.id, event.title, sentences, event.said_at, event.said_at, event.time, tuple(names))


def source_of_summary(summary: Summary) -> Source:
    """A summary as a source of the one above. Its sentences have their dates in their words."""
    sentences = tuple(SourceSentence(sentence.text) for sentence in summary.sentences)
    return Source(
        summary.id, summary.title, sentences, summary.said_from, summary.said_to, summary.time, summary.names, len(summary.member_ids)
    )


def thread_item(summary: Summary, vector: Float16Vector | None) -> ThreadItem:
    """A window as threads see it: the words of its summary, and the vector of its text.

    The mean of the statements' vectors tells windows apart worse: all statements name the same people.
    """
    terms = Counter(terms_of(summary.text))
    return ThreadItem(summary.id, terms, summary.said_from, summary.said_to, frozenset(summary.sessions), vector)


def background_of(summaries: Iterable[Summary]) -> Background:
    """In how many of these summaries each term stands."""
    counts: Counter[str] = Counter()
    texts = [summary.text for summary in summaries]
    for text in texts:
        counts.update(set(terms_of(text)))
    return Background(len(texts), counts)


def summary_of_draft(
    id_: str,
    level: SummaryLevel,
    draft: SummaryDraft,
    sources: Sequence[Source],
    sessions: Iterable[str],
    written: tuple[datetime, str, int],
    seeds: tuple[Seed, ...] = (),
) -> Summary:
    """What is stored of a draft: as much as a summary may say, each sentence with the members that it cites.

    Args:
        sources: all that the summary tells of, at least one.
        written: when, by which consolidator (its fingerprint), and of which generation.
    """
    now, consolidator, generation = written
    said_from, said_to = min(source.said_from for source in sources), max(source.said_to for source in sources)
    return Summary(
        id=id_,
        level=level,
        title=draft.title[:MAX_TITLE],
        sentences=tuple(_sentences(draft.sentences, {source.id for source in sources})),
        member_ids=tuple(source.id for source in sources),
        time=_happened(sources),
        said_from=said_from,
        said_to=said_to,
        recorded_at=now,
        consolidated_at=now,
        consolidator=consolidator,
        generation=generation,
        sessions=tuple(dict.fromkeys(sessions)),
        names=_names(sources),
        seeds=seeds,
    )


def _sentences(drafts: Sequence[SentenceDraft], members: set[str]) -> list[SummarySentence]:
    """Those that rest on members, without repetitions: a sentence with nothing behind it is not kept, whoever wrote it."""
    kept: dict[str, SummarySentence] = {}
    for one in drafts:
        text, sources = one.text.strip()[:MAX_SENTENCE], tuple(dict.fromkeys(id_ for id_ in one.source_ids if id_ in members))
        if text and sources:
            kept.setdefault(text, SummarySentence(text, sources))
    return list(kept.values())[:MAX_SENTENCES]


def _happened(sources: Sequence[Source]) -> TimeSpan:
    """From when to when it happened, as exactly as the least exact of the sources tells; what has no time happened when it was said."""
    spans = [source.time or TimeSpan(source.said_from, source.said_to, Granularity.INSTANT) for source in sources]
    return TimeSpan(min(one.start for one in spans), max(one.end for one in spans), max(one.granularity for one in spans))


def _names(sources: Sequence[Source]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for source in sources:
        for name in source.names:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: -counts[name])[:_MOST_NAMES])
