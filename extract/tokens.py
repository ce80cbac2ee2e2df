"""How many tokens a text has for a language model, as far as that can be told without the model's own tokenizer.

The word pieces of the packaged model come near the byte-pair encodings of large models. What they drop or do not know is charged by its
bytes: signs outside their vocabulary, accents, white space, control and zero-width characters. Words of more than a hundred characters,
of which WordPiece makes one unknown word, are cut. The rates were read off cl100k_base, o200k_base and the tokenizer of Claude 2 over
seventy kinds of text; docs/retrieval.md has how near the count comes.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_TOKENIZER = Path(__file__).parent / "embed" / "models" / "all-minilm-l6-v2-int8" / "tokenizer.json"
_UNKNOWN = "[UNK]"
# The model's own limit is 100, counted after accents have been taken apart.
_LONG_WORD = re.compile(r"(\S{80})(?=\S)")
# Rulers, dots, indentation: encodings have tokens for such runs, of these signs.
_RUN = re.compile(r"([ !#%*+./=_~-])\1{15,}")
_RUN_AS_ONE = 8
# What the word pieces leave over. In ASCII: white space, then what stands in unknown words, then controls.
_LEFT_OVER = re.compile(r"[ \t\r\n]+|[!-~]+|[^\x00-\x7f]+|.", re.DOTALL)
_WHITE_SPACE_A_TOKEN = 8
# Tokenised in one go, and at once: slices bound how long anything else waits, groups how much memory it takes.
_SLICE = 4_096
_GROUP = 16
# A slice ends at white space if there is some this near its end, so that few words are cut.
_NEAR = 200


def count_tokens(text: str) -> int:
    """How many tokens the text has for a model. Takes time in proportion to the text: call it from a thread for long ones."""
    slices = [_RUN.sub(_shorter, _LONG_WORD.sub(r"\1 ", part)) for part in _slices(text)]
    tokenizer = _tokenizer()
    total = 0
    for start in range(0, len(slices), _GROUP):
        group = slices[start : start + _GROUP]
        # The call for a batch lets other threads run, the one for a single text does not.
        encodings = tokenizer.encode_batch(group, add_special_tokens=False)
        total += sum(map(_charged, group, encodings))
    return total


def vocabulary() -> dict[str, int]:
    """The word pieces of the packaged model by their number, the more frequent first but for signs and single letters."""
    return dict(_tokenizer().get_vocab(with_added_tokens=False))


@lru_cache(maxsize=1)
def _tokenizer() -> "Tokenizer":
    # Here, because it takes long to import.
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _shorter(run: re.Match[str]) -> str:
    return run[1] * -(-len(run[0]) // _RUN_AS_ONE)


def _slices(text: str) -> Iterator[str]:
    begin = 0
    while begin < len(text):
        end = begin + _SLICE
        if end < len(text):
            space = max(text.rfind(" ", end - _NEAR, end), text.rfind("\n", end - _NEAR, end))
            end = space if space > begin else end
        yield text[begin:end]
        begin = end


def _charged(text: str, encoding: "Encoding") -> int:
    """What one slice costs."""
    total = at = 0
    for piece, (begin, end) in zip(encoding.tokens, encoding.offsets, strict=True):
        if begin > at:
            total += _left_over(text[at:begin])
        if piece == _UNKNOWN:
            total += _left_over(text[begin:end])
        else:
            total += 1
            if piece.isascii() and not text[begin:end].isascii():
                # The accents that were taken off it: two bytes or one mark each are a token, a common letter's single one is not.
                total += (len(_utf8(text[begin:end])) - len(piece.removeprefix("##"))) * 2 // 3
        at = max(at, end)
    return total + _left_over(text[at:])


def _left_over(text: str) -> int:
    """What is charged for characters that no word piece stands for; the one space between two words is part of a token."""
    if text in ("", " "):
        return 0
    return sum(map(_bytes_charged, _LEFT_OVER.findall(text)))


def _bytes_charged(run: str) -> int:
    if run[0] in " \t\r\n":
        return 0 if run == " " else -(-len(run) // _WHITE_SPACE_A_TOKEN)
    if run.isascii():
        return -(-len(run) // 2)
    return -(-len(_utf8(run)) * 2 // 3)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
