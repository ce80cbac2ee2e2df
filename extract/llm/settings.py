"""Which language model is asked, and within what budgets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """What the llm extractor and the llm consolidator ask their model by.

    Attributes:
        provider: the name of the provider's row.
        model: what the provider calls the model.
        input_tokens: longer transcripts are split.
        output_tokens: what an answer may take; one that is cut off is asked for again about half of what it was asked about.
        reasoning: the effort asked for, because answers depend on it.
    """

    provider: str
    model: str
    input_tokens: int = 6_000
    output_tokens: int = 4_000
    reasoning: str = ""
