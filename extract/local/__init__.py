"""The `local` extractor: rules, no network, no model. Statements attributed to their speaker, with times, names, relations and causes."""

from extract.local.extractor import RULES_VERSION, LocalExtractor, local_extractors

__all__ = ["RULES_VERSION", "LocalExtractor", "local_extractors"]
