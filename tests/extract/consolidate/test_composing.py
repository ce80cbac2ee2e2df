"""What goes between the graph and a consolidator, and from one level to the next."""

from datetime import UTC, datetime

from extract.consolidate.composing import background_of, source_of_summary, summary_of_draft, thread_item
from extract.consolidate.local.consolidator import thread_summary, window_summary
from extract.consolidate.port import SentenceDraft, SourceGroup, SummaryDraft
from graph.model import Granularity, Summary, SummaryLevel
from graph.store.port.consolidating import MAX_SENTENCE, MAX_SENTENCES, MAX_TITLE
from tests.extract.consolidate.groups import day, group, source

TOLD = ("Ines planted tomatoes along the wall.", "Rui repaired the bicycle.")
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def summarized(one: SourceGroup, draft: SummaryDraft | None = None) -> Summary:
    return summary_of_draft("sum_1", SummaryLevel.WINDOW, draft or window_summary(one), one.sources, ["s"], (NOW, "test", 3))


def test_a_summary_is_a_source_of_the_one_above_with_its_dates_and_times() -> None:
    one = SourceGroup((source(1, TOLD[0], time=day(2024, 2, 1)), source(2, TOLD[1], days=3, time=day(2024, 3, 7))))
    summary = summarized(one)
    assert (summary.recorded_at, summary.consolidated_at, summary.consolidator, summary.generation) == (NOW, NOW, "test", 3)
    assert summary.member_ids == tuple(one.id for one in one.sources)
    assert (summary.time.start, summary.time.end) == (day(2024, 2, 1).start, day(2024, 3, 7).end)
    above = source_of_summary(summary)
    assert (above.said_to - above.said_from).days == 3
    assert above.sentences[0].text == "Ines planted tomatoes along the wall (1 February 2024)."
    thread = thread_summary(SourceGroup((above,)))
    assert {sentence.source_ids for sentence in thread.sentences} == {("sum_1",)}
    assert [sentence.text for sentence in thread.sentences] == [sentence.text for sentence in above.sentences]


def test_what_has_no_time_happened_when_it_was_said() -> None:
    one = group(*TOLD)
    summary = summarized(one)
    assert (summary.time.start, summary.time.end) == (one.sources[0].said_from, one.sources[1].said_to)
    assert summary.time.granularity is Granularity.INSTANT


def test_of_what_a_model_says_so_much_is_kept_as_a_summary_may_hold() -> None:
    one = group(*TOLD)
    known = one.sources[0].id
    long = SentenceDraft("x" * 100_000, (known, known))
    many = tuple(SentenceDraft(f"Sentence {number}.", (known,)) for number in range(200))
    unfounded = (SentenceDraft("Strange.", ("evt_stranger",)), SentenceDraft("Free.", ()), SentenceDraft("  ", (known,)))
    summary = summarized(one, SummaryDraft("y" * 1_000, (*unfounded, long, long, *many)))
    assert (len(summary.title), len(summary.sentences)) == (MAX_TITLE, MAX_SENTENCES)
    assert (len(summary.sentences[0].text), summary.sentences[0].source_ids) == (MAX_SENTENCE, (known,))
    assert summary.sentences[1].text == "Sentence 0."


def test_the_background_counts_summaries_and_not_words() -> None:
    summaries = [summarized(group("Tomatoes, tomatoes, tomatoes.")), summarized(group(TOLD[0])), summarized(group(TOLD[1]))]
    found = background_of(summaries)
    assert (found.summaries, found.counts["tomato"], found.counts["bicycl"]) == (3, 2, 1)


def test_a_thread_sees_the_words_of_the_summary_and_when_it_was_said() -> None:
    one = group(*TOLD)
    summary = summarized(one)
    item = thread_item(summary, None)
    assert item.terms["tomato"] == summary.text.lower().count("tomato")
    assert (item.said_from, item.said_to) == (one.sources[0].said_from, one.sources[1].said_to)
    assert item.sessions == {"s"}
