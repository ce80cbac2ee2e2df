"""Questions answered by a language model, from the command line and from both Python clients, against a real service."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structmem import Answer, AsyncClient, Client, LanguageModelMissingError

from tests.extract.llm.openai_server import Body, OpenAiServer, Reply

TALK = """\
{"session": "s1", "speaker": "Noor", "text": "I live in Ghent.", "sent_at": "2024-01-10T10:00:00Z"}
{"session": "s2", "speaker": "Noor", "text": "I moved to Bruges in May.", "sent_at": "2024-06-02T10:00:00Z"}
"""
WHERE = "Where does Noor live?"


def newest(body: Body) -> Reply:
    """Answers with the last message that it is shown."""
    lines = [line for line in body["messages"][-1]["content"].split("\n") if line.startswith('{"n"')]
    town = "Bruges" if "Bruges" in lines[-1] else "Ghent"
    return Reply(f'Noor lives in {town} [{len(lines)}: "{town}"]. So says a guess [77].')


@pytest.fixture
def model() -> Iterator[OpenAiServer]:
    """A language model in a thread of its own, which every question of a test reaches."""
    server = OpenAiServer()
    server.answers = newest
    loop = asyncio.new_event_loop()
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture
def noor(shell: Any, model: OpenAiServer, tmp_path: Path) -> Any:
    """A shell with Noor's memory, whose service has a language model for answers alone."""
    shell.environment |= {"STRUCTMEM_LLM_PROVIDER": "custom", "STRUCTMEM_LLM_MODEL": "a-model", "STRUCTMEM_LLM_BASE_URL": model.url}
    (tmp_path / "talk.jsonl").write_text(TALK)
    done = shell("ingest", tmp_path / "talk.jsonl", "-n", "noor")
    assert done.code == 0, done.err
    return shell


def test_an_answer_is_printed_with_its_numbered_sources(noor: Any) -> None:
    done = noor("ask", WHERE, "-n", "noor", "--budget", "500")
    assert done.code == 0, done.err
    answer, source, line = done.out.splitlines()
    assert answer == "Noor lives in Bruges [1]. So says a guess."
    assert source.startswith("[1] Noor · 2024-06-02 10:00 · ")
    assert "I moved to Bruges in May." in line
    assert "left out: 1 citation" in done.err
    assert "a-model read" in done.err


def test_an_answer_as_of_a_date_and_as_a_document(noor: Any) -> None:
    document = noor("ask", WHERE, "-n", "noor", "--as-of", "2024-03", "--json").document
    assert document["text"] == "Noor lives in Ghent [1]. So says a guess."
    [citation] = document["citations"]
    assert (citation["number"], citation["speaker"], citation["said_at"]) == (1, "Noor", "2024-01-10T10:00:00Z")
    assert citation["quotes"] == ["Ghent"]
    assert [one["reason"] for one in document["rejected_citations"]] == ["no_such_memory"]
    assert (document["grounded"], document["not_in_memory"], document["ending"]) == (True, False, "complete")
    used = noor("usage", "-n", "noor", "--json").document["usage"]
    assert [entry["step"] for entry in used if entry["model"] == "a-model"] == ["answer"]


def test_what_is_not_in_memory_is_said(noor: Any, model: OpenAiServer) -> None:
    model.answers = lambda _: Reply("NOT_IN_MEMORY They do not say what Noor eats.")
    done = noor("ask", "What does Noor eat?", "-n", "noor")
    assert done.out == "They do not say what Noor eats.\n"
    assert "(not in memory)" in done.err
    model.answers = lambda _: Reply("Waffles.")
    assert "not grounded" in noor("ask", "What does Noor eat?", "-n", "noor").err
    nobody = noor("ask", "What does Noor eat?", "-n", "noor", "--speaker", "Tom")
    assert (nobody.code, nobody.out) == (0, "")
    assert "(not in memory)" in nobody.err


def test_without_a_model_the_command_says_what_to_set(noor: Any) -> None:
    noor.environment["STRUCTMEM_LLM_MODEL"] = ""
    done = noor("ask", WHERE, "-n", "noor")
    assert done.code == 1
    assert "llm_model" in done.err


def test_both_clients_answer_and_stream(noor: Any, serving: Any) -> None:
    with serving(noor) as server, Client(server.address) as client:
        answer = client.answer(WHERE, "noor", token_budget=500)
        assert (answer.text, answer.grounded) == ("Noor lives in Bruges [1]. So says a guess.", True)
        assert answer.usage is not None
        assert (answer.usage.step, answer.usage.calls, answer.usage.prompt_tokens) == ("answer", 1, 100)
        *texts, last = client.stream_answer(WHERE, "noor", token_budget=500)
        assert isinstance(last, Answer)
        assert ("".join(map(str, texts)), last.text, last.citations) == (answer.text, answer.text, answer.citations)

        async def both() -> tuple[Answer, list[str | Answer]]:
            async with AsyncClient(server.address) as aio:
                return await aio.answer(WHERE, "noor", token_budget=500), [part async for part in aio.stream_answer(WHERE, "noor")]

        found, parts = asyncio.run(both())
        assert found.text == answer.text
        assert isinstance(parts[-1], Answer)


def test_a_client_is_told_that_there_is_no_model(noor: Any, serving: Any) -> None:
    noor.environment["STRUCTMEM_LLM_MODEL"] = ""
    with serving(noor) as server, Client(server.address) as client:
        with pytest.raises(LanguageModelMissingError, match="llm_model"):
            client.answer(WHERE, "noor")
        with pytest.raises(LanguageModelMissingError):
            list(client.stream_answer(WHERE, "noor"))
