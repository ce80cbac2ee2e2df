"""Assembling a context: the best memories that fit a token budget, in order of time, nothing twice.

Memories are taken in the order of their rank. Of a message longer than a tenth of the budget the passage that fits the query best is told,
from its beginning or from the sentence that holds most of the query, with as much of what follows as that share holds: one long answer of
an assistant would leave no room for anything else. A statement is passed over when all the messages it rests on are in, each of them
whole: what it says is there, verbatim, already; or when another one told rests on them. (Retrieval itself passes over the message when the
statement ranked higher. Where room is left in the end, statements give way to the messages they rest on.) A message too long for what is
left of the budget is passed over for shorter ones further down, except that the best memory is cut to fit: an answer must not be empty
because its best source is long.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from graph.errors import InvalidArgument
from graph.model import Message, Statement, kind_of_node
from graph.retrieval.answer import (
    CHARACTERS_A_TOKEN,
    Context,
    ContextEntry,
    QueryEmbedder,
    RetrievalAnswer,
    RetrievalRequest,
    TokenCounter,
)
from graph.retrieval.context.context_line import line_of, message_line
from graph.retrieval.context.excerpt import beginning
from graph.retrieval.context.line import Line
from graph.retrieval.context.summary_lines import profile_entries, summary_entries
from graph.retrieval.context.whole_messages import held_back, with_whole_messages
from graph.retrieval.indexes import NamespaceIndexes
from graph.retrieval.ranking.rerank import Reranking
from graph.retrieval.read_path import retrieve_many
from graph.store.port import Store
from graph.text.passages import passage_texts

# A line with its date and speaker is hardly ever shorter; so no more memories than this can fit a budget.
TOKENS_OF_A_SHORT_LINE = 12
MAX_MEMORIES = 1_000
# So many lines in a row that do not fit: what is left of the budget is too small to go on looking.
_PATIENCE = 30
# What is read of memories that may go in; the largest context of all is shorter.
_READ_BYTES = 16_000_000
# Most texts have fewer characters a token: so many are counted first, to see whether a long text is beyond a budget.
_CHARACTERS_OF_MOST_TOKENS = 6
_WORDS_AT_ONCE = 256
_ELLIPSIS = " …"
# What one message may take of a budget, as a part of it and at least in tokens: docs/decisions.md#context-share.
_SHARE, _LEAST_SHARE = 10, 150
# A word, or a part of one that is longer than any in a language with spaces, with the marks that belong to its last sign.
_WORD = re.compile(r"\S{1,24}[\u0300-\u036f\u200d\ufe0f]{0,8}")


async def build_context(
    store: Store,
    requests: Sequence[RetrievalRequest],
    embedder: QueryEmbedder | None,
    token_budget: int,
    count_tokens: TokenCounter,
    reranking: Reranking | None = None,
    max_memories: int = MAX_MEMORIES,
    indexes: NamespaceIndexes | None = None,
    profile: bool = False,
) -> Context:
    """The best memories for a query as a text of at most `token_budget` tokens, one line each, dated in the request's zone.

    The text has at most CHARACTERS_A_TOKEN characters a token of the budget, however they are counted.

    Args:
        requests: as `retrieve_many` takes them; their own `k` is not used.
        max_memories: how many at most, at least 1.
        indexes: as `retrieve_many`.
        profile: whether the text begins with the namespaces' profiles.
        count_tokens: counts a whole text; the budget holds for the joined text, exactly as it counts it. Called from a thread.

    Raises:
        InvalidArgument: a budget below 1, or as `retrieve_many`.
    """
    if token_budget < 1:
        raise InvalidArgument.of("token_budget", "must be at least 1")
    k = min(max_memories, MAX_MEMORIES, max(10, token_budget // TOKENS_OF_A_SHORT_LINE))
    plain = [replace(request, k=k, explain=False, with_covered=True) for request in requests]
    answer = await retrieve_many(store, plain, embedder, reranking, _READ_BYTES, indexes, profile)
    # Counting takes milliseconds for a line of a thousand words, in which every other call would wait.
    return await asyncio.to_thread(_assembled, answer, token_budget, count_tokens, k)


def _assembled(answer: RetrievalAnswer, token_budget: int, count_tokens: TokenCounter, most: int) -> Context:
    def size(text: str, most: int) -> int:
        return _size(text, most, count_tokens)

    zone = answer.plan.zone
    profiles = profile_entries(answer.profiles, token_budget, zone, size)
    stable = "".join(f"{entry.text}\n\n" for entry in profiles)
    said = [sentence.text for profile in answer.profiles.values() for sentence in profile.sentences if sentence.text in stable]

    def summaries_beside(lines: Sequence[Line]) -> list[ContextEntry]:
        return summary_entries(answer.summaries, token_budget, zone, size, [*said, *(line.text for line in lines)])

    def head_of(summaries: Sequence[ContextEntry]) -> str:
        told = "\n".join(entry.text for entry in summaries)
        return f"{stable}{told}\n\n" if told else stable

    def lines_after(head: str) -> list[Line]:
        return _memories(answer, head, token_budget, count_tokens, most)

    summaries = summaries_beside(())
    lines = lines_after(head_of(summaries))
    # What memories tell word for word is told by no summary, and leaves room for more of both, as long as that changes nothing about it.
    beside = summaries_beside(lines)
    if beside != summaries:
        for more in (lines_after(head_of(beside)), _within_exactly(head_of(beside), lines, token_budget, count_tokens)):
            if summaries_beside(more) == beside:
                summaries, lines = beside, more
                break
    lines, head = _in_order(lines), head_of(summaries)
    text = head + _joined(lines) if lines else head.rstrip("\n")
    return Context(
        text=text,
        token_count=count_tokens(text) if text else 0,
        entries=(*profiles, *summaries, *(_entry(line) for line in lines)),
        stable_bytes=len(stable.rstrip("\n").encode()),
        plan=answer.plan,
        best_relevance=answer.best_relevance,
        nothing_relevant=answer.nothing_relevant,
    )


def _memories(answer: RetrievalAnswer, head: str, budget: int, count_tokens: TokenCounter, most: int) -> list[Line]:
    """The lines that fit after this beginning, by rank."""
    zone = answer.plan.zone
    left = budget - _size(head, budget, count_tokens) if head else budget
    hits, held = held_back(answer.hits)
    candidates = [Line(hit, line_of(hit.node, zone), zone) for hit in hits]
    lines = _chosen(candidates, left, frozenset(answer.plan.terms), count_tokens, most)
    lines = _within_exactly(head, lines, budget, count_tokens)

    def size(text: str) -> int:
        return _size(text, budget, count_tokens)

    replaced = len(lines) if held else 0
    room = left - sum(size(f"{line.text}\n") for line in lines) if held else 0
    while replaced:
        whole, replaced = with_whole_messages(lines, held, room, most, replaced, size)
        # Counts of lines need not add up.
        if size(head + _joined(_in_order(whole))) <= budget:
            return whole
        replaced //= 2
    return lines


def _chosen(candidates: Sequence[Line], budget: int, terms: frozenset[str], count_tokens: TokenCounter, most_lines: int) -> list[Line]:
    """The lines to take, by rank, judged line by line."""
    lines: list[Line] = []
    told: set[tuple[str, str]] = set()
    left, missed = budget, 0
    for line in candidates:
        evidence = {(line.hit.namespace, id_) for id_ in line.hit.evidence_ids}
        if isinstance(line.hit.node, Statement) and evidence and evidence <= told:
            continue
        whole, size = line.text, _size(f"{line.text}\n", left, count_tokens)
        share = max(budget // _SHARE, _LEAST_SHARE)
        most = share if lines else min(share, left)
        if most < size and most <= left:
            line = _from_match(line, most, terms, count_tokens)
            if _size(f"{line.text}\n", most, count_tokens) > most:
                line = _cut(line, most, count_tokens)
            size = _size(f"{line.text}\n", left, count_tokens)
        if size > left or not line.text:
            missed += 1
            if missed == _PATIENCE:
                break
            continue
        missed = 0
        lines.append(line)
        if line.text == whole:
            told |= evidence
        left -= size
        if len(lines) == most_lines:
            break
    return lines


def _size(text: str, most: int, count_tokens: TokenCounter) -> int:
    """The text's tokens, at least one for so many characters. Of what has more than `most` no more is counted than shows it."""
    least = -(-len(text) // CHARACTERS_A_TOKEN)
    if least > most:
        return least
    begin = text[: (most + 1) * _CHARACTERS_OF_MOST_TOKENS]
    size = count_tokens(begin)
    return max(least, size if size > most or len(begin) == len(text) else count_tokens(text))


def _from_match(line: Line, budget: int, terms: frozenset[str], count_tokens: TokenCounter) -> Line:
    """A message's line from what fits the query best on, or from an earlier passage where so all the rest fits."""
    node = line.hit.node
    if not isinstance(node, Message):
        return line
    passages = passage_texts(node)
    best = min(line.hit.passage, len(passages) - 1)

    def told(words: str, whole: bool = False) -> str:
        return message_line(node, words if whole else f"{_ELLIPSIS} {words}", line.zone)

    def fits(text: str) -> bool:
        return _size(f"{text}\n", budget, count_tokens) <= budget

    start = best
    while start and fits(told(" ".join(passages[start - 1 :]), start == 1)):
        start -= 1
    if start < best:
        return replace(line, text=told(" ".join(passages[start:]), not start))
    words = beginning(passages, best, terms, lambda words: fits(told(f"{words}{_ELLIPSIS}", not best)))
    return line if best == 0 and words == " ".join(passages) else replace(line, text=told(words))


def _cut(line: Line, budget: int, count_tokens: TokenCounter) -> Line:
    """The line with as many of its words as fit; of long words, parts. Empty when not even its date and speaker fit.

    Words are counted a run at a time, in ever shorter runs once one does not fit, so that what is counted is about the budget, however
    long the line. Runs counted apart cost no less than together: the cut line fits, and could at most take a word or two more.
    """
    ends = [word.end() for word in _WORD.finditer(line.text, 0, budget * CHARACTERS_A_TOKEN)]
    if ends and ends[-1] == len(line.text):
        del ends[-1]  # all of them is no cut
    left = budget - count_tokens(f"{_ELLIPSIS}\n")
    fitting, run = 0, _WORDS_AT_ONCE
    while run and fitting < len(ends):
        upto = min(fitting + run, len(ends))
        size = count_tokens(line.text[ends[fitting - 1] if fitting else 0 : ends[upto - 1]])
        if size <= left:
            fitting, left = upto, left - size
        else:
            run //= 2
    while fitting and _size(_shortened(line, ends[fitting - 1]), budget, count_tokens) > budget:
        fitting -= 1
    head = len(line.text.partition(": ")[0])
    return replace(line, text=_shortened(line, ends[fitting - 1]) if fitting and ends[fitting - 1] > head + 1 else "")


def _shortened(line: Line, end: int) -> str:
    return f"{line.text[:end]}{_ELLIPSIS}"


def _within_exactly(head: str, lines: list[Line], budget: int, count_tokens: TokenCounter) -> list[Line]:
    """The lines without the last ones while they count more than the budget after `head`: counts of lines need not add up."""
    while lines and _size(head + _joined(_in_order(lines)), budget, count_tokens) > budget:
        lines = lines[:-1]
    return lines


def _in_order(lines: Sequence[Line]) -> list[Line]:
    """The lines in the order of time; a session's messages in that of their arrival."""

    def key(line: Line) -> tuple[datetime, str, int, int]:
        node = line.hit.node
        return (node.sent_at, node.session, node.seq, 0) if isinstance(node, Message) else (node.said_at, node.session, 0, line.hit.rank)

    return sorted(lines, key=key)


def _joined(lines: Sequence[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _entry(line: Line) -> ContextEntry:
    node = line.hit.node
    return ContextEntry(
        namespace=line.hit.namespace,
        node_id=node.id,
        kind=kind_of_node(node),
        text=line.text,
        said_at=node.sent_at if isinstance(node, Message) else node.said_at,
        speaker=node.speaker,
        evidence_ids=line.hit.evidence_ids,
        rank=line.hit.rank,
        relevance=line.hit.relevance,
    )
