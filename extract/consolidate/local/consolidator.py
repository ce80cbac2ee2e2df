"""The local consolidator: extractive summaries of windows, threads and the whole."""

import asyncio
import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from extract.consolidate.local.aspects import Aspect
from extract.consolidate.local.candidates import Candidate, candidates_of
from extract.consolidate.local.selection import chosen
from extract.consolidate.local.titles import cut, title_of_words
from extract.consolidate.port import Consolidation, SentenceDraft, SourceGroup, SummaryDraft
from graph.text import ANALYSER_VERSION
from graph.text.names import is_role_name

# A change of any rule of this folder raises it, and summaries are written anew.
_RULES_VERSION = 4
_MOST_OF_WINDOW = 12
_MOST_OF_THREAD = 16
_MOST_OF_ASPECT = 6
_MOST_NAMES = 2
# Threads of which a profile says where they stand.
_MOST_THREADS = 8
# Whom a statement is about stands at its beginning: "Ana Ruiz moved to Porto", "Asked "…", Ana said: …".
_CAPITALISED = r"[^\W\d_a-z][\w'’-]*(?: [^\W\d_a-z][\w'’-]*){0,2}"
_SUBJECT = re.compile(rf"(?:Asked \"[^\"]*\", )?({_CAPITALISED}) (?:is|was|has|had|\w+(?:s|ed)|went|got|said|made|took|will)\b")
_NO_NAMES = frozenset(("The", "It", "This", "That", "There", "He", "She", "They", "We", "You", "My", "Asked"))


class LocalConsolidator:
    """Implements `Consolidator`: the same groups give the same text, without a model."""

    def __init__(self) -> None:
        said = f"local-summaries-{_RULES_VERSION}-analyser-{ANALYSER_VERSION}"
        self._fingerprint = hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """Follows the version of the rules."""
        return self._fingerprint

    async def windows(self, groups: Sequence[SourceGroup]) -> Consolidation:
        """See `Consolidator.windows`; the rules run in a thread."""
        return await _all(window_summary, groups)

    async def threads(self, groups: Sequence[SourceGroup]) -> Consolidation:
        """See `Consolidator.threads`."""
        return await _all(thread_summary, groups)

    async def profile(self, group: SourceGroup) -> Consolidation:
        """See `Consolidator.profile`."""
        return await _all(profile_summary, [group])


def window_summary(group: SourceGroup) -> SummaryDraft:
    """The sentences that say most of a window's events, in order. Its title is that of the event which the weightiest of them is of."""
    candidates = candidates_of(group.sources, group.zone, say_when_said=False)
    context = candidates_of(group.context, group.zone, say_when_said=False)
    most = min(_MOST_OF_WINDOW, 1 + round(math.sqrt(2 * len(candidates))))
    picked = chosen(candidates, context, most)
    behind = Counter(source for one in picked for source in one.source_ids)
    central = max(group.sources, key=lambda source: behind[source.id], default=None)
    return _draft(cut(central.title) if central else "", picked, group)


def thread_summary(group: SourceGroup) -> SummaryDraft:
    """How a thread went, in order, each sentence with when it happened or was said. Its title is of the words that tell it from others."""
    picked = chosen(candidates_of(group.sources, group.zone, say_when_said=True), (), _MOST_OF_THREAD)
    texts = [" ".join(sentence.text for sentence in source.sentences) for source in group.sources]
    return _draft(title_of_words(group, texts) or (cut(group.sources[0].title) if group.sources else ""), picked, group)


def profile_summary(group: SourceGroup) -> SummaryDraft:
    """What stands of the people that a namespace is about, aspect by aspect, what was said last first, and then where the threads stand
    that were said last; titled by the people's names.
    """
    candidates = candidates_of(group.sources, group.zone, say_when_said=True)
    names = _people(candidates)
    picked: list[Candidate] = []
    for aspect in Aspect:
        of_aspect = [one for one in candidates if one.aspect is aspect]
        about = [one for one in of_aspect if any(name in one.text for name in names)]
        found = chosen(about or of_aspect, (), _MOST_OF_ASPECT)
        picked += sorted(found, key=lambda one: (one.said_at, one.order), reverse=True)
    picked += _latest(group, candidates, picked)
    if not picked:
        # Nothing that stands was said yet: then what was said at all.
        picked = chosen(candidates, (), _MOST_OF_ASPECT)
    return _draft(" and ".join(names), picked, group)


def _latest(group: SourceGroup, candidates: Sequence[Candidate], picked: Sequence[Candidate]) -> list[Candidate]:
    """Of the threads said last, where each stands: its last sentence, unless that is there already."""
    told = {id_ for one in picked for id_ in one.source_ids if one is _last(id_, candidates)}
    found = []
    for source in sorted(group.sources, key=lambda source: (source.said_to, source.id), reverse=True)[:_MOST_THREADS]:
        last = _last(source.id, candidates)
        if source.id not in told and last is not None and last not in picked and last not in found:
            found.append(last)
    return found


def _last(source_id: str, candidates: Sequence[Candidate]) -> Candidate | None:
    """A thread's sentences stand in the order of time."""
    return next((one for one in reversed(candidates) if source_id in one.source_ids), None)


def _people(candidates: Sequence[Candidate]) -> list[str]:
    """Of whom most is said; the second only if nearly as much is said of them."""
    counts: Counter[str] = Counter()
    for one in candidates:
        found = _SUBJECT.match(one.text)
        if found and not is_role_name(found[1]) and found[1].split()[0] not in _NO_NAMES:
            counts[found[1].removesuffix("'s")] += 1
    ranked = sorted(counts, key=lambda name: (-counts[name], name))[:_MOST_NAMES]
    return [name for name in ranked if 3 * counts[name] >= counts[ranked[0]]]


def _draft(title: str, picked: Sequence[Candidate], group: SourceGroup) -> SummaryDraft:
    order = {source.id: place for place, source in enumerate(group.sources)}
    return SummaryDraft(title, tuple(SentenceDraft(one.text, tuple(sorted(one.source_ids, key=order.__getitem__))) for one in picked))


async def _all(summary: Callable[[SourceGroup], SummaryDraft], groups: Sequence[SourceGroup]) -> Consolidation:
    return Consolidation(tuple(await asyncio.to_thread(lambda: [summary(group) for group in groups])))
