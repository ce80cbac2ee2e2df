"""What texts count for a budget, against what the tokenizers of large models charge for texts of the same kind."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.tokens import count_tokens

_RANDOM = random.Random(7)
_HEX = "".join(_RANDOM.choice("0123456789abcdef") for _ in range(20_000))
_BASE64 = base64.b64encode(_RANDOM.randbytes(15_000)).decode()
_URL = "https://www.example.com/path/some-page/x7f3k2q9z1m?utm_source=news&id=184467440#top "
_CHINESE = "我上周五终于搬到了里斯本，新的公寓非常漂亮，可以看到大海。"
_KOREAN = "지난주 금요일에 드디어 리스본으로 이사했어요. 새 아파트는 정말 예쁘고 바다가 보여요. "
_THAI = "เมื่อวันศุกร์ที่แล้วฉันย้ายไปลิสบอนในที่สุด"
_ENGLISH = "I finally moved to Lisbon last Friday! The new flat is lovely, and from the kitchen you can see the sea. "
_FINNISH = "Viime perjantaina muutin vihdoin Lissaboniin. Uusi asunto on todella kaunis ja siitä näkyy meri. "
_GREEK = "Την περασμένη Παρασκευή μετακόμισα επιτέλους στη Λισαβόνα. "

# Tokens for 1,000 characters: the most that cl100k_base and o200k_base charge, by tiktoken 0.14 with their published vocabularies.
CHARGED = {
    "english": (_ENGLISH * 50, 229),
    "finnish": (_FINNISH * 50, 382),
    "greek": (_GREEK * 50, 916),
    "hex": (_HEX, 570),
    "base64": (_BASE64, 718),
    "links": (_URL * 100, 381),
    "digits": ("7" * 3_000, 333),
    "chinese": (_CHINESE * 50, 1_207),
    "korean": (_KOREAN * 50, 1_000),
    "thai": (_THAI * 50, 884),
    "emoji": ("😀" * 3_000, 2_000),
    "rare emoji": ("🪼🫎🪿" * 500, 3_000),
    "families": ("👨‍👩‍👧‍👦" * 300, 2_571),
    "zero-width": ("\u200d" * 3_000, 2_000),
    "controls": ("\x01\x02" * 1_000, 1_000),
    "accents": ("e\u0301\u0302\u0303" * 500, 1_500),
    "line breaks": ("a\n" * 1_000, 1_000),
    "blank lines": ("\n" * 3_000, 63),
    "indentation": (f"x\n{' ' * 17}" * 300, 158),
    "spaces": (" " * 4_000, 8),
    "dashes": ("-" * 4_000, 16),
    "one letter": ("a" * 3_000, 125),
}


@pytest.mark.parametrize("kind", CHARGED)
def test_every_kind_of_text_is_counted_near_what_models_charge(kind: str) -> None:
    text, a_thousand = CHARGED[kind]
    charged = a_thousand * len(text) / 1_000
    assert count_tokens(text) >= charged * 0.65
    # Runs of one sign are cheap for models; that they are not for a budget only makes it safe.
    assert count_tokens(text) <= charged * (2.5 if len(set(text)) > 2 else 9)


def test_a_long_run_without_spaces_is_no_single_token() -> None:
    assert count_tokens(_HEX * 9) > 180_000 / 3


def test_nothing_counts_nothing() -> None:
    assert count_tokens("") == 0


_ANY = st.text(st.characters(codec="utf-8") | st.sampled_from(" \n\t-=a1é漢😀\u200d\u0301"), max_size=60).flatmap(
    lambda text: st.integers(1, 200).map(lambda times: (text * times)[:3_000])
)


@given(_ANY, _ANY)
def test_a_whole_counts_about_what_its_parts_do(first: str, second: str) -> None:
    parts, whole = count_tokens(first) + count_tokens(second), count_tokens(first + second)
    # At the seam words may join or part; and a run of one sign that both make counts less than two.
    assert whole <= parts * 1.02 + 100
    assert whole >= max(count_tokens(first), count_tokens(second)) * 0.8 - 100


@given(_ANY)
def test_every_character_that_is_no_space_is_paid_for(text: str) -> None:
    assert count_tokens(text) * 80 >= len("".join(text.split()))
