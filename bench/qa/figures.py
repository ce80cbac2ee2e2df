"""The figures of a run, out of its files alone: scores by category, and what each stage took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.dataset import Question
from bench.percentiles import percentiles
from bench.qa.asking import Asked
from bench.qa.f1 import f1
from bench.qa.model import Spent
from bench.qa.protocol import Protocol
from bench.qa.remembering_figures import remembering_figures
from bench.qa.results import Results

Key = tuple[str, str]
Lines = Mapping[Key, Mapping[str, Any]]


def system_figures(results: Results, protocol: Protocol, system: str, asked: Asked) -> dict[str, Any]:
    """One system's figures over the questions that were asked."""
    questions = {(conversation.id, question.id): question for conversation, found in asked for question in found}
    predictions, judgements = _of(results.predictions, system, questions), _of(results.judgements, system, questions)
    failures = [line for line in results.failures if line["system"] == system and _key(line) in questions]
    figures: dict[str, Any] = {
        "overall": _scores(questions, predictions, judgements, protocol),
        "by_category": {
            category: _scores(found, predictions, judgements, protocol) for category, found in sorted(_by_category(questions).items())
        },
        "unanswered": len(questions) - len(predictions),
        "unjudged": len(predictions) - len(judgements),
        "malformed_verdicts": sum(len(line["malformed"]) for line in (*judgements.values(), *failures)),
        "cut_off": sum(bool(line["cut_off"]) for line in predictions.values()),
        "mean_context_tokens": _mean([line["context_tokens"] for line in predictions.values()]),
        "mean_memories": _mean([line["memories"] for line in predictions.values()]),
        "mean_summaries": _mean([line["summaries"] for line in predictions.values()]),
        "stages": _stages(results, system, asked, predictions, judgements, failures),
    }
    suspects = {key: question for key, question in questions.items() if question.suspect}
    if suspects:
        sound = {key: question for key, question in questions.items() if key not in suspects}
        figures["without_suspects"] = _scores(sound, predictions, judgements, protocol)
    if protocol.averages_tasks:
        scored = [scores["accuracy"] for scores in figures["by_category"].values() if scores["accuracy"] is not None]
        figures["task_averaged_accuracy"] = _mean(scored)
        abstentions = {key: question for key, question in questions.items() if question.abstention}
        figures["abstention"] = _scores(abstentions, predictions, judgements, protocol)
    return figures


def _of(lines: Iterable[Mapping[str, Any]], system: str, questions: Mapping[Key, Question]) -> Lines:
    return {_key(line): line for line in lines if line["system"] == system and _key(line) in questions}


def _key(line: Mapping[str, Any]) -> Key:
    return str(line["conversation"]), str(line["question_id"])


def _by_category(questions: Mapping[Key, Question]) -> Mapping[str, Mapping[Key, Question]]:
    found: dict[str, dict[Key, Question]] = defaultdict(dict)
    for key, question in questions.items():
        found[question.category][key] = question
    return found


def _scores(questions: Mapping[Key, Question], predictions: Lines, judgements: Lines, protocol: Protocol) -> dict[str, Any]:
    """`accuracy` is of the answers that were judged, `accuracy_of_all` counts every question that was not as a wrong one."""
    judged = [bool(judgements[key]["correct"]) for key in questions if key in judgements]
    scores: dict[str, Any] = {
        "questions": len(questions),
        "judged": len(judged),
        "accuracy": _mean(judged, 100),
        "accuracy_of_all": round(100 * sum(judged) / len(questions), 2) if questions else None,
    }
    if protocol.has_f1:
        answered = [(question, str(predictions[key]["hypothesis"])) for key, question in questions.items() if key in predictions]
        scores["f1"] = _mean([f1(question.category, given, question.answer) for question, given in answered], 100)
    return scores


def _stages(
    results: Results, system: str, asked: Asked, predictions: Lines, judgements: Lines, failures: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Seconds and tokens by stage; tries that came to nothing are counted where they were made."""
    failed: dict[str, Spent] = {"answer": Spent(), "judge": Spent()}
    for line in failures:
        failed[str(line["stage"])] += Spent(**line["spent"])
    retrieved = [float(line["retrieve_seconds"]) for line in predictions.values()]
    answered = [Spent(**line["spent"]) for line in predictions.values()]
    judged = [Spent(**line["spent"]) for line in judgements.values()]
    return {
        **remembering_figures(results, system, asked),
        "retrieve": {"seconds": round(sum(retrieved), 3), "each_ms": percentiles(retrieved)},
        "answer": _spent(answered, failed["answer"]),
        "judge": _spent(judged, failed["judge"]),
    }


def _spent(useful: Sequence[Spent], failed: Spent) -> dict[str, Any]:
    total = sum(useful, failed)
    return {
        "seconds": round(total.seconds, 3),
        "each_ms": percentiles([spent.seconds for spent in useful]),
        "calls": total.calls,
        "prompt_tokens": total.prompt_tokens,
        "completion_tokens": total.completion_tokens,
        "errors": total.errors,
    }


def _mean(values: Sequence[float], scale: float = 1) -> float | None:
    return round(scale * sum(values) / len(values), 2) if values else None
