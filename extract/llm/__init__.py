"""The `llm` extractor: one call of a language model a segment, checked item by item; its providers, prompts, and recorded exchanges.

What needs the openai package is imported from its own module, only where it is chosen: the package takes a second to load.
"""

from extract.llm.providers import PROVIDERS, Output, Provider

__all__ = ["PROVIDERS", "Output", "Provider"]
