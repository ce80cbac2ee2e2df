"""What the demo asks, and what each question shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what it is an example of."""

    text: str
    shows: str


QUESTIONS = (
    Question("When did Maria move into her flat?", "when"),
    Question("Who is Ines?", "a person"),
    Question("How are Ines and Maria related?", "a relation between people"),
    Question("Why did Tom cancel the half marathon?", "why"),
    Question("Does Maria still want to go back to Berlin after a year?", "a change of mind"),
    Question("Which books has Tom finished?", "a list over several sessions"),
    Question("What did Tom do in April 2024?", "a time that the question names"),
    Question("What are the plans for Maria's birthday?", "a plan"),
)
CONTEXT_QUERY = "Tom's knee, his running and his swimming"
CONTEXT_TOKENS = 220
MEMORIES = 3
# Said in a session of its own, which is deleted at the end: a date, and the same date moved.
CHANGED_SESSION = "2024-07-01 the farewell dinner"
CHANGES = (
    ("2024-07-01T18:00:00", "My farewell dinner is on 12 July."),
    ("2024-07-04T09:30:00", "The farewell dinner was moved to 19 July, the kitchen has no time before that."),
)
CHANGED_QUERY = "When is the farewell dinner?"
BETWEEN_CHANGES = "2024-07-02T12:00:00+02:00"
SUMMARIZED_SESSION = "2024-03-09 knees and flats"
SENTENCES = 3
