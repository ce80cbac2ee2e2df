from bench.counting import Judgement, judge, means, ranking_of, summary, with_answer, with_context


def test_a_fact_counts_as_its_evidence_in_its_place() -> None:
    hits = [["m1"], ["m1", "m3"], ["m2"], ["m3"]]

    assert ranking_of(hits) == ["m1", "m3", "m2"]


def test_recall_is_the_share_of_evidence_among_the_first_distinct_messages() -> None:
    ranking = [f"m{n}" for n in range(1, 101)]

    measures = judge("single", ranking, ["m5", "m6", "m61", "absent"]).measures

    assert measures["recall@5"] == 0.25
    assert measures["recall@10"] == 0.5
    assert measures["recall@60"] == 0.5
    assert measures["all@10"] == 0.0
    assert measures["mrr"] == 1 / 5


def test_all_at_ten_needs_every_piece() -> None:
    assert judge("multi", ["a", "x", "b"], ["a", "b"]).measures["all@10"] == 1.0
    assert judge("multi", ["a"] + [f"x{n}" for n in range(9)] + ["b"], ["a", "b"]).measures["all@10"] == 0.0


def test_nothing_found_is_zero_everywhere() -> None:
    assert set(judge("multi", [], ["a"]).measures.values()) == {0.0}


def test_means_are_over_questions_in_percent() -> None:
    judgements = [judge("one", ["a"], ["a"]), judge("one", ["x", "b"], ["b", "c"]), judge("two", ["x"], ["d"])]

    found = summary(judgements)

    assert found["overall"] == {
        "recall@5": 50.0,
        "recall@10": 50.0,
        "recall@20": 50.0,
        "recall@30": 50.0,
        "recall@60": 50.0,
        "all@10": 33.33,
        "mrr": 0.5,
    }
    by_category = found["by_category"]
    assert isinstance(by_category, dict)
    assert by_category["one"]["recall@10"] == 75.0
    assert by_category["two"]["recall@10"] == 0.0


def test_no_questions_have_no_means() -> None:
    none: list[Judgement] = []
    assert means(none) == {}


def test_the_share_of_evidence_inside_a_context_stands_beside_the_other_measures():
    judged = with_context(judge("c", ["a"], ["a", "b"]), 1500, {"b", "x"}, ["a", "b"])
    assert judged.measures["context@1500"] == 0.5
    assert judged.measures["recall@5"] == 0.5
    assert means([judged])["context@1500"] == 50.0


def test_the_words_of_the_answer_count_where_there_is_an_answer() -> None:
    judged = judge("c", ["a"], ["a"])
    told = with_answer(judged, 1500, "2023-05-08 Maria: I moved to Lisbon.", "moved to Lisbon in May")
    assert told.measures["answer_words@1500"] == 2 / 3
    assert with_answer(judged, 1500, "anything", "") == judged
    assert means([told, judged])["answer_words@1500"] == 66.67
    assert means([told, judged])["recall@5"] == 100
