"""The `llm` extractor: calls of a language model about several sessions each, checked item by item; providers, prompts, recorded exchanges.

What needs the openai package is imported from its own module, only where it is chosen: the package takes a second to load.
"""

from extract.llm.providers import PROVIDERS, Output, Provider

__all__ = ["PROVIDERS", "Output", "Provider"]
