"""Words for people by what they are to someone: kin, friends, roles; and for pets. With the pronoun that each takes."""

import re

# ruff: noqa: SIM905
# Lists of words read better as text than as lists of literals.

_SHE = frozenset(
    (
        "sister mother mom mum mummy wife daughter aunt auntie grandmother grandma granny nan nana niece girlfriend fiancée ex-wife "
        "stepmother stepmom stepsister stepdaughter mother-in-law sister-in-law daughter-in-law godmother goddaughter "
        "granddaughter bridesmaid"
    ).split()
)
_HE = frozenset(
    (
        "brother father dad daddy husband son uncle grandfather grandpa grandad nephew boyfriend fiancé ex-husband stepfather stepdad "
        "stepbrother stepson father-in-law brother-in-law son-in-law godfather godson grandson"
    ).split()
)
_EITHER = (
    "spouse cousin partner fiance fiancee ex twin friend buddy boss manager supervisor colleague coworker co-worker teammate roommate "
    "flatmate housemate neighbour neighbor teacher professor mentor tutor doctor dentist therapist physiotherapist physio coach trainer "
    "instructor landlord landlady assistant classmate student client hairdresser lawyer accountant babysitter nanny editor agent advisor "
    "supervisor psychologist vet gardener cleaner baby toddler"
).split()
_ONLY_ONE = frozenset(
    (
        "mother mom mum mummy father dad daddy wife husband spouse partner fiancé fiancée fiance fiancee boyfriend girlfriend twin boss "
        "manager supervisor landlord landlady therapist physiotherapist dentist hairdresser mother-in-law father-in-law flatmate roommate"
    ).split()
) | {"best friend"}
_MANY = (
    "parents grandparents kids children siblings sisters brothers sons daughters cousins friends colleagues coworkers neighbours neighbors "
    "twins roommates flatmates students in-laws grandchildren grandkids teammates classmates"
).split()
PETS = "dog puppy cat kitten parrot bird horse rabbit bunny hamster turtle tortoise snake goldfish fish pony pet budgie ferret".split()
_PETS = [*PETS, "guinea pig"]


def _any(words: object) -> str:
    return "|".join(sorted((re.escape(str(word)).replace("\\ ", r"\s+") for word in words), key=len, reverse=True))  # type: ignore[attr-defined]


# Names of kin that are also said without "my": "Uncle Pete".
TITLES = r"(?:Dr|Mr|Mrs|Ms|Prof)\b\.?|Aunt|Auntie|Uncle|Grandma|Grandpa|Coach|Professor|Doctor|Sir|Father"
PERSONS = rf"best\s+friend|{_any([*_SHE, *_HE, *_EITHER])}"
PEOPLE = _any(_MANY)
ANIMALS = _any(_PETS)
# Words between "my" and the kin: "my older sister", "my old roommate".
ADJECTIVE = (
    r"(?:(?:older|elder|younger|little|big|old|new|former|late|twin|oldest|eldest|youngest|favou?rite|dear|own|good|close|ex|first|second|"
    r"baby|step|half|great|lovely|poor|beloved|two|three|four|current|future)[\s-]+)?"
)
_SAME = {
    "mom": "mother", "mum": "mother", "mummy": "mother", "dad": "father", "daddy": "father", "granny": "grandmother",
    "grandma": "grandmother", "nan": "grandmother", "nana": "grandmother", "grandpa": "grandfather", "grandad": "grandfather",
    "neighbor": "neighbour", "neighbors": "neighbours", "co-worker": "coworker",
    "fiancé": "fiance", "fiancée": "fiancee", "physio": "physiotherapist",
    "kids": "children", "auntie": "aunt",
}  # fmt: skip


def pronoun_of(kin: str) -> str:
    """ "she", "he" or "they" for a word of kinship; empty where it may be either."""
    word = kin.casefold()
    if word in _SHE or word == "landlady":
        return "she"
    if word in _HE or word == "landlord":
        return "he"
    return "they" if word in _MANY else ""


def predicate_of_kin(word: str) -> str:
    """ "mother_of" for "mum": what the one is to the other."""
    word = " ".join(word.casefold().split())
    return f"{_SAME.get(word, word).replace(' ', '_').replace('-', '_')}_of"


def is_only_one(word: str) -> bool:
    """Whether people mostly have one of this kind at a time, so that "my boss" is a name."""
    return " ".join(word.casefold().split()) in _ONLY_ONE
