"""Understanding a query without a model: its terms, whom and what it names, the times it means, and what it asks for."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from graph.model import Entity
from graph.retrieval.answer import QueryPlan
from graph.retrieval.planning.meta_phrases import without_meta_phrases
from graph.retrieval.planning.query_times import times_of_query
from graph.retrieval.planning.question import dense_excerpt, named_speakers, query_intents, without_names
from graph.retrieval.recipes import Recipe
from graph.text import STOP_WORDS, terms_of, words_of

# The cues of what a question asks for stand at its ends; a long query is a pasted document.
_CUE_CHARACTERS = 2_000
# Of a pasted document, what it is about.
_TOPIC_CHARACTERS = 10_000
# Distinct terms that are looked up, so that the rarest of them can be kept.
_MOST_TERMS = 5_000
_LONGEST_NAME = 4
_MAX_NAMES = 200


def plan_query(query: str, speakers: Sequence[str], asked_at: datetime, zone: tzinfo, recipe: Recipe) -> QueryPlan:
    """How a query is understood, as far as its words and the namespace's speakers tell."""
    cues = query if len(query) <= _CUE_CHARACTERS else f"{query[: _CUE_CHARACTERS // 2]} {query[-_CUE_CHARACTERS // 2 :]}"
    folded = " ".join(cues.casefold().replace("’", "'").split())
    named, names = named_speakers(cues, speakers)
    return QueryPlan(
        recipe=recipe.name,
        terms=_of_both_ends(tuple(dict.fromkeys(terms_of(query))), _MOST_TERMS),
        dense_text=without_names(without_meta_phrases(dense_excerpt(query, recipe.max_dense_words)), names),
        speakers=named,
        times=times_of_query(cues, asked_at, zone),
        intents=query_intents(folded),
        topic_terms=frozenset(terms_of(without_meta_phrases(query[:_TOPIC_CHARACTERS]))),
        zone=zone,
        asked_at=asked_at,
    )


def _of_both_ends(terms: tuple[str, ...], most: int) -> tuple[str, ...]:
    return terms if len(terms) <= most else terms[: most // 2] + terms[-(most - most // 2) :]


def names_in(query: str) -> tuple[str, ...]:
    """The runs of up to four words of a query that may name an entity, case-folded, longest first."""
    words = [word.removesuffix("'s") for word in words_of(query[:_CUE_CHARACTERS])]
    return tuple(dict.fromkeys(_runs(words)))[:_MAX_NAMES]


def _runs(words: Sequence[str]) -> Iterator[str]:
    for size in range(min(_LONGEST_NAME, len(words)), 0, -1):
        for start in range(len(words) - size + 1):
            run = words[start : start + size]
            if run[0] not in STOP_WORDS and run[-1] not in STOP_WORDS:
                yield " ".join(run)


def linked(entities: Sequence[Entity]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids and names of the entities that a query names, the rarest first: they say most about what is meant."""
    ranked = sorted(entities, key=lambda entity: (entity.mention_count, entity.name))
    return tuple(entity.id for entity in ranked), tuple(entity.name for entity in ranked)
