"""What goes from one level to the next."""

from extract.consolidate.levels import background_of, source_of_draft, text_of, thread_item
from extract.consolidate.local.consolidator import thread_summary, window_summary
from extract.consolidate.port import SourceGroup
from tests.extract.consolidate.groups import day, group, source

TOLD = ("Ines planted tomatoes along the wall.", "Rui repaired the bicycle.")


def test_a_summary_is_a_source_of_the_one_above_with_its_dates_and_times() -> None:
    one = SourceGroup((source(1, TOLD[0], time=day(2024, 2, 1)), source(2, TOLD[1], days=3, time=day(2024, 3, 7))))
    above = source_of_draft("sum_1", one, window_summary(one))
    assert above.time is not None
    assert (above.time.start, above.time.end) == (day(2024, 2, 1).start, day(2024, 3, 7).end)
    assert (above.said_to - above.said_from).days == 3
    assert above.sentences[0].text == "Ines planted tomatoes along the wall (1 February 2024)."
    thread = thread_summary(SourceGroup((above,)))
    assert {sentence.source_ids for sentence in thread.sentences} == {("sum_1",)}
    assert [sentence.text for sentence in thread.sentences] == [sentence.text for sentence in above.sentences]


def test_the_background_counts_summaries_and_not_words() -> None:
    drafts = [window_summary(group("Tomatoes, tomatoes, tomatoes.")), window_summary(group(TOLD[0])), window_summary(group(TOLD[1]))]
    found = background_of(drafts)
    assert (found.summaries, found.counts["tomato"], found.counts["bicycl"]) == (3, 2, 1)


def test_a_thread_sees_the_words_of_the_summary_and_when_it_was_said() -> None:
    one = group(*TOLD)
    draft = window_summary(one)
    item = thread_item("sum_1", one, draft, ["s"], None)
    assert item.terms["tomato"] == text_of(draft).lower().count("tomato")
    assert (item.said_from, item.said_to) == (one.sources[0].said_from, one.sources[1].said_to)
