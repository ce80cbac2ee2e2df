"""Small files in the shapes in which LoCoMo and LongMemEval are published; people and words are invented."""

from typing import Any


def locomo() -> list[dict[str, Any]]:
    """Two conversations of locomo10.json, with what is odd in real ones: evidence in many forms, a number for an answer, a date alone."""
    turns = [
        {"speaker": "Nadia", "dia_id": "D1:1", "text": "I adopted a grey cat on Sunday."},
        {"speaker": "Piet", "dia_id": "D1:2", "text": "Lovely! I repaired my canoe last week."},
    ]
    photo = {"img_url": ["https://example.org/c.jpg"], "blip_caption": "a cat on a chair", "query": "cat"}
    later = [
        {"speaker": "Piet", "dia_id": "D2:1", "text": "How is the cat?"},
        {"speaker": "Nadia", "dia_id": "D2:2", "text": "Fine, I named her Juno. Look!", **photo},
        {"speaker": "Piet", "dia_id": "D2:3", "text": " "},
    ]
    questions = [
        {"question": "When did Nadia adopt the cat?", "answer": "7 May 2023", "evidence": ["D1:1"], "category": 2},
        {"question": "Which animals and boats are named?", "answer": "cat, canoe", "evidence": ["D1:1; D1:2"], "category": 1},
        {"question": "How many cats has Nadia?", "answer": 1, "evidence": ["D:1:1", "D2:02"], "category": 4},
        {"question": "Would Piet enjoy a lake?", "answer": "Likely yes; he has a canoe", "evidence": [], "category": 3},
        {"question": "What does Piet say?", "answer": "nothing", "evidence": ["D", "D2:1 D1:2"], "category": 4},
        {"question": "What did Piet adopt?", "adversarial_answer": "a cat", "evidence": ["D1:1"], "category": 5},
    ]
    first = {
        "sample_id": "conv-1",
        "conversation": {
            "speaker_a": "Nadia",
            "speaker_b": "Piet",
            "session_10_date_time": "12:09 am on 30 May, 2023",
            "session_10": later,
            "session_2_date_time": "1:56 pm on 8 May, 2023",
            "session_2": turns,
            "session_11_date_time": "2:00 pm on 1 June, 2023",
        },
        "qa": questions,
        "observation": {
            "session_2_observation": {"Nadia": [["Nadia adopted a cat.", "D1:1"]], "Piet": [["Piet has a canoe.", ["D1:2", "D2:1"]]]},
            "session_10_observation": {"Nadia": [["The cat is Juno.", "D7:7"]]},
        },
        "session_summary": {"session_2_summary": "Nadia tells of a cat, Piet of a canoe."},
        "event_summary": {},
    }
    second = {
        "sample_id": "conv-2",
        "conversation": {
            "session_1_date_time": "9:00 am on 1 March, 2023",
            "session_1": [{"speaker": "Ugo", "dia_id": "D1:1", "text": "I bake rye bread."}],
        },
        "qa": [{"question": "What does Ugo bake?", "answer": "rye bread", "evidence": ["D1:1"], "category": 4}],
    }
    return [first, second]


def longmemeval() -> list[dict[str, Any]]:
    """Two questions of longmemeval_oracle.json, the second one without an answer; sessions out of order, one id twice."""
    answered = {
        "question_id": "q1",
        "question_type": "temporal-reasoning",
        "question": "How many days after the purchase did my kettle break?",
        "answer": "3 days",
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_dates": ["2023/05/23 (Tue) 10:00", "2023/05/20 (Sat) 02:21", "2023/05/21 (Sun) 08:00"],
        "haystack_session_ids": ["answer_2", "answer_1", "answer_1"],
        "haystack_sessions": [
            [{"role": "user", "content": "My kettle broke today.", "has_answer": True}, {"role": "assistant", "content": "Oh."}],
            [{"role": "user", "content": "I bought a kettle today.", "has_answer": True}, {"role": "assistant", "content": "Nice."}],
            [{"role": "user", "content": "Name a river."}, {"role": "assistant", "content": "", "has_answer": False}],
        ],
        "answer_session_ids": ["answer_1", "answer_2"],
    }
    unanswerable = {
        "question_id": "q2_abs",
        "question_type": "single-session-user",
        "question": "What colour is my bicycle?",
        "answer": "The colour was never mentioned, only that there is a bicycle.",
        "question_date": "2023/06/01 (Thu) 09:00",
        "haystack_dates": ["2023/05/22 (Mon) 07:30"],
        "haystack_session_ids": ["answer_3"],
        "haystack_sessions": [[{"role": "user", "content": "I ride my bicycle to work.", "has_answer": True}]],
        "answer_session_ids": ["answer_3"],
    }
    return [answered, unanswerable]
