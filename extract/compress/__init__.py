"""Pre-compression: what a language model is given of a text. Words are left out, never changed; what is stored stays whole.

`entropy` judges words by a table of frequencies, `llmlingua2` by a model; which words are never left out is the same for both.
"""

from extract.compress.entropy import EntropyCompressor
from extract.compress.port import Compressor, ReadTurn, TurnReader

__all__ = ["Compressor", "EntropyCompressor", "ReadTurn", "TurnReader"]
