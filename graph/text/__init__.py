"""Text analysis shared by writing and reading: terms, passages, features, times."""

from graph.text.analyser import ANALYSER_VERSION, date_terms, terms_of
from graph.text.passages import IndexedText, Passage, index_message, index_statement

__all__ = ["ANALYSER_VERSION", "IndexedText", "Passage", "date_terms", "index_message", "index_statement", "terms_of"]
