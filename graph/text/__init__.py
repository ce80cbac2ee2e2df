"""Text analysis shared by writing and reading: terms, passages, features, times."""

from graph.text.analyser import ANALYSER_VERSION, MONTHS, STOP_WORDS, date_terms, terms_of, words_of
from graph.text.features import features_of, has_time_cue
from graph.text.passages import IndexedText, Passage, index_claim, index_message, index_statement, index_turn, passage_texts
from graph.text.slices import slices_of

__all__ = [
    "ANALYSER_VERSION",
    "MONTHS",
    "STOP_WORDS",
    "IndexedText",
    "Passage",
    "date_terms",
    "features_of",
    "has_time_cue",
    "index_claim",
    "index_message",
    "index_statement",
    "index_turn",
    "passage_texts",
    "slices_of",
    "terms_of",
    "words_of",
]
