"""The calls of AnswerService; see `structmem._calls`."""

from structmem import _answers as a
from structmem import _decode_answers as da
from structmem import _encode as e
from structmem._calls import Call
from structmem.v1 import answer_service_pb2 as apb
from structmem.v1 import retrieval_pb2 as rpb


def answer(asked: rpb.RetrievalQuery, token_budget: int | None, profile: bool) -> Call[a.Answer]:
    """Answer."""
    budget = e.at_least_one("token_budget", token_budget)
    request = e.build(apb.AnswerRequest, query=asked, token_budget=budget, profile=profile)
    # A model's tokens are paid for: only a service that asks for it is asked again.
    return Call("answer", "Answer", request, lambda it: da.answer(it.answer), repeatable=False)


def stream_answer(asked: rpb.RetrievalQuery, token_budget: int | None, profile: bool) -> Call[str | a.Answer]:
    """StreamAnswer; the pieces of its text, then the answer."""
    budget = e.at_least_one("token_budget", token_budget)
    request = e.build(apb.StreamAnswerRequest, query=asked, token_budget=budget, profile=profile)

    def parse(it: apb.StreamAnswerResponse) -> str | a.Answer:
        return da.answer(it.answer) if it.HasField("answer") else it.text

    return Call("answer", "StreamAnswer", request, parse, repeatable=False)
