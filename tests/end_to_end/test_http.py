"""`structmem http`: real requests to a real adapter in front of a real server."""

import asyncio
import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structmem import AsyncClient, Client
from structmem.http.adding import RequestIds
from structmem.http.bodies import AddRequest
from structmem.http.names import requests_namespace, session_name, user_namespace

from graph.model import namespace_name_problem


class Adapter:
    """A process of `structmem http`."""

    def __init__(self, shell: Any, *arguments: str | Path) -> None:
        log = shell.directory / "server.log"
        before = len(log.read_text()) if log.exists() else 0
        self.process: subprocess.Popen[str] = shell.start("http", "--port", "0", *arguments)
        deadline = time.monotonic() + 60
        while not (found := re.search(r"structmem answers at http://([^:]+):(\d+)", log.read_text()[before:])):
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        self.host, self.port = found[1], int(found[2])

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, raw: bytes | None = None) -> Any:
        """The status and the JSON of one request."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        with contextlib.closing(connection):
            sent = raw if raw is not None else None if body is None else json.dumps(body).encode()
            connection.request(method, path, sent, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def add(self, body: Any, **more: Any) -> Any:
        return self.ask("POST", "/add", body, **more)

    def found(self, query: str, user: str, **more: Any) -> list[str]:
        status, answer = self.ask("POST", "/search", {"query": query, "user_id": user, "top_k": 10}, **more)
        assert status == 200, answer
        return [item["content"] for item in answer["data"]]

    def stop(self) -> int:
        """Asks it to end and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextlib.contextmanager
def _adapting(shell: Any, *arguments: str | Path) -> Iterator[Adapter]:
    adapter = Adapter(shell, *arguments)
    try:
        yield adapter
    finally:
        if adapter.process.poll() is None:
            adapter.process.kill()
            adapter.process.wait(10)


@pytest.fixture(scope="module")
def adapted(
    beside_a_server: Any, new_shell: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Adapter, str]]:
    """An adapter that the tests share, each with users of its own, and the server's address."""
    _, server = beside_a_server
    with _adapting(new_shell(tmp_path_factory.mktemp("http")), "--target", server.address, "--max-body-mb", "1") as adapter:
        yield adapter, server.address


def _request(user: str, *contents: str, id_: str = "", session: str = "monday") -> dict[str, Any]:
    """The body of an add, each message a minute after the one before."""
    messages = [{"role": "user", "content": text, "timestamp": 1_709_661_600_000 + 60_000 * n} for n, text in enumerate(contents)]
    return {"request_id": id_ or f"{user}-1", "user_id": user, "session_id": session, "messages": messages}


def test_what_is_added_is_found_and_by_its_user_alone(adapted: Any) -> None:
    adapter, address = adapted
    assert adapter.ask("GET", "/health") == (200, {"status": "ok", "version": Client(address).server_info().version})
    body = _request("dora", "I moved to Lisbon last Friday.", "My boiler is broken.")
    body["messages"].append({"role": "assistant", "content": "I am sorry to hear of the boiler."})
    expected = {"success": True, "request_id": "dora-1", "user_id": "dora", "session_id": "monday"}
    assert adapter.add(body) == (200, expected)

    status, answer = adapter.ask(
        "POST", "/search", {"query": "Lisbon", "user_id": "dora", "top_k": 1, "options": ["A. Lisbon", "B. Porto"]}
    )
    assert status == 200
    (item,) = answer["data"]
    assert set(item) == {"id", "content", "score", "created_at"}
    assert item["created_at"] == "2024-03-05T18:00:00Z"
    assert "Lisbon" in item["content"]
    assert item["score"] > 0
    assert {content for content in adapter.found("boiler", "dora") if "boiler" in content} >= {
        "assistant: I am sorry to hear of the boiler.",
    }
    assert adapter.found("Lisbon", "somebody else") == []
    with Client(address) as client:
        assert [message.role for message in client.list_messages("users/dora")] == ["user", "user", "assistant"]


def test_summaries_come_after_the_memories_one_for_five(adapted: Any) -> None:
    adapter, address = adapted
    days = [f"On day {number} we painted the boat in colour {number}." for number in range(12)]
    body = _request("sara", *days)
    for number, message in enumerate(body["messages"]):
        message["timestamp"] += 86_400_000 * number
    assert adapter.add(body)[0] == 200
    with Client(address) as client:
        for job in client.list_jobs("users/sara", states=["queued", "running"]):
            client.wait_for(job)
        client.wait_for(client.consolidate("users/sara"))
        windows = {summary.id: summary for summary in client.list_summaries("users/sara")}
    status, answer = adapter.ask("POST", "/search", {"query": "Who painted the boat?", "user_id": "sara", "top_k": 6})
    assert status == 200
    kinds = [item["id"].partition("_")[0] for item in answer["data"]]
    assert kinds[-2:] == ["sum", "sum"]
    assert len(kinds) == 8
    last = answer["data"][-1]
    assert last["content"] == windows[last["id"]].text


def test_a_repeat_is_answered_alike_and_stored_once(adapted: Any) -> None:
    adapter, address = adapted
    body = _request("eva", "The first.", "The second.")
    del body["messages"][1]["timestamp"]
    first = adapter.add(body)
    assert first[0] == 200
    assert [adapter.add(body) for _ in range(3)] == [first] * 3
    body["messages"][1]["timestamp"] = None
    assert adapter.add(body) == first, "a time that is null is one that is not given"
    with Client(address) as client:
        assert len(list(client.list_messages("users/eva"))) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "Other words."}]},
        {"messages": [{"role": "assistant", "content": "Some words.", "timestamp": 1_709_661_600_000}]},
        {"messages": [{"role": "user", "content": "Some words."}]},
        {"user_id": "another user"},
        {"session_id": "tuesday"},
    ],
)
def test_the_same_id_with_another_body_is_a_conflict(adapted: Any, change: dict[str, Any]) -> None:
    adapter, address = adapted
    user = f"fred-{abs(hash(str(change)))}"
    body = _request(user, "Some words.")
    assert adapter.add(body)[0] == 200
    status, answer = adapter.add(body | change)
    assert (status, answer["error"]["reason"]) == (409, "REQUEST_ID_REUSED")
    assert answer["error"]["violations"][0]["field"] == "request_id"
    with Client(address) as client:
        assert [(message.session, message.text) for message in client.list_messages(f"users/{user}")] == [("monday", "Some words.")]
        assert "users/another user" not in [namespace.name for namespace in client.list_namespaces()]


def test_many_at_once_with_one_id_are_stored_once(adapted: Any) -> None:
    adapter, address = adapted
    body = _request("gina", "Hello.", "There.", "And here.")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(adapter.add, [body] * 32))
    assert {status for status, _ in answers} == {200}
    with Client(address) as client:
        assert [message.text for message in client.list_messages("users/gina")] == ["Hello.", "There.", "And here."]


def test_of_many_bodies_with_one_id_one_is_stored_by_whichever_adapter(adapted: Any, new_shell: Any, tmp_path: Path) -> None:
    adapter, address = adapted
    bodies = [_request("hugo", f"Text {number}.") for number in range(16)]
    with _adapting(new_shell(tmp_path), "--target", address) as other, ThreadPoolExecutor(16) as pool:
        asked = [pool.submit((adapter, other)[number % 2].add, body) for number, body in enumerate(bodies)]
        statuses = [one.result()[0] for one in asked]
    assert sorted(statuses) == [200] + [409] * 15
    with Client(address) as client:
        assert [message.text for message in client.list_messages("users/hugo")] == [f"Text {statuses.index(200)}."]


def _changed(path: str, value: Any) -> dict[str, Any]:
    """A good body with one value changed; ... takes it away."""
    body: Any = _request("ida", "Some words.", id_="refused")
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner = body
    for part in way:
        inner = inner[part]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return dict(body)


@pytest.mark.parametrize(
    ("path", "value", "field", "why"),
    [
        ("request_id", ..., "request_id", "is required"),
        ("request_id", "", "request_id", "at least 1 character"),
        ("request_id", "x" * 513, "request_id", "at most 512 characters"),
        ("request_id", "a\0b", "request_id", "NUL"),
        ("request_id", 7, "request_id", "valid string"),
        ("user_id", None, "user_id", "valid string"),
        ("session_id", ["s"], "session_id", "valid string"),
        ("sesion_id", "s", "sesion_id", "is no field of this call"),
        ("messages", [], "messages", "at least 1 item"),
        ("messages", {"role": "user"}, "messages", "valid array"),
        ("messages", [{"role": "user", "content": "a"}] * 10_001, "messages", "at most 10000 items"),
        ("messages.0", "hello", "messages[0]", "must be an object"),
        ("messages.0.content", ..., "messages[0].content", "is required"),
        ("messages.0.content", " \n", "messages[0].content", "only white space"),
        ("messages.0.content", "a\0b", "messages[0].content", "NUL"),
        ("messages.0.content", {"text": "a"}, "messages[0].content", "valid string"),
        ("messages.0.role", " ", "messages[0].role", "only white space"),
        ("messages.0.role", "r" * 65, "messages[0].role", "at most 64 characters"),
        ("messages.0.name", "Tom", "messages[0].name", "is no field of this call"),
        ("messages.0.timestamp", "2024-03-05", "messages[0].timestamp", "valid integer"),
        ("messages.0.timestamp", 1.5, "messages[0].timestamp", "valid integer"),
        ("messages.0.timestamp", True, "messages[0].timestamp", "valid integer"),
        ("messages.0.timestamp", 10**18, "messages[0].timestamp", "less than"),
        ("messages.0.timestamp", -(10**18), "messages[0].timestamp", "greater than"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_stored(adapted: Any, path: str, value: Any, field: str, why: str) -> None:
    adapter, address = adapted
    status, answer = adapter.add(_changed(path, value))
    assert (status, answer["error"]["reason"]) == (422, "INVALID_ARGUMENT")
    (violation,) = answer["error"]["violations"]
    assert violation["field"] == field
    assert why in violation["reason"]
    with Client(address) as client:
        assert "users/ida" not in [namespace.name for namespace in client.list_namespaces()]


def test_a_refused_request_may_be_sent_again_with_its_id(adapted: Any) -> None:
    adapter, _ = adapted
    assert adapter.add(_request("jo", " ", id_="again"))[0] == 422
    assert adapter.add(_request("jo", "Words.", id_="again"))[0] == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"query": " "}, "query"),
        ({"query": "x" * 100_001}, "query"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": 1001}, "top_k"),
        ({"top_k": "10"}, "top_k"),
        ({"options": "A"}, "options"),
        ({"options": [1]}, "options[0]"),
        ({"limit": 3}, "limit"),
    ],
)
def test_a_bad_search_names_its_field(adapted: Any, change: dict[str, Any], field: str) -> None:
    adapter, _ = adapted
    status, answer = adapter.ask("POST", "/search", {"query": "x", "user_id": "ida", "top_k": 3} | change)
    assert status == 422
    assert [violation["field"] for violation in answer["error"]["violations"]] == [field]


@pytest.mark.parametrize("raw", [b"", b"{", b'{"request_id": NaN', b"\xff\xfe", b'{"query": "\\ud800"}', b"[" * 100_000])
@pytest.mark.parametrize("path", ["/add", "/search"])
def test_what_is_no_json_is_told_as_that(adapted: Any, path: str, raw: bytes) -> None:
    adapter, _ = adapted
    status, answer = adapter.ask("POST", path, raw=raw)
    assert (status, answer["error"]["reason"]) == (400, "INVALID_JSON")


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"text"', b"17"])
def test_json_that_is_no_object_is_refused(adapted: Any, raw: bytes) -> None:
    adapter, _ = adapted
    status, answer = adapter.ask("POST", "/add", raw=raw)
    assert (status, answer["error"]["violations"]) == (422, [{"field": "body", "reason": "must be an object"}])


def test_paths_methods_and_kinds_of_bodies_that_are_not_there(adapted: Any) -> None:
    adapter, _ = adapted
    assert adapter.ask("POST", "/remember", {})[0] == 404
    assert adapter.ask("GET", "/add")[0] == 405
    assert adapter.ask("POST", "/health", {})[0] == 405
    status, answer = adapter.ask("POST", "/add", {}, headers={"Content-Type": "text/plain"})
    assert (status, answer["error"]["reason"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    status, answer = adapter.ask("GET", "/search", headers={"Host": "evil.example"})
    assert status == 405
    status, answer = adapter.ask("POST", "/search", {}, headers={"Host": "evil.example"})
    assert (status, answer["error"]["reason"]) == (403, "PERMISSION_DENIED")


def test_a_body_that_is_too_large_is_refused_whether_its_length_is_told_or_not(adapted: Any) -> None:
    adapter, _ = adapted
    large = json.dumps(_request("kim", "x" * 1_100_000)).encode()
    status, answer = adapter.add(None, raw=large)
    assert (status, answer["error"]["reason"]) == (413, "BODY_TOO_LARGE")
    connection = http.client.HTTPConnection(adapter.host, adapter.port, timeout=60)
    with contextlib.closing(connection):
        connection.request(
            "POST", "/add", iter([large[:500_000], large[500_000:]]), {"Content-Type": "application/json"}, encode_chunked=True
        )
        assert connection.getresponse().status == 413
    assert adapter.add(_request("kim", "A boiler. " + "x" * 800_000))[0] == 200
    assert len(adapter.found("boiler", "kim")) == 1


def test_ids_of_any_characters_have_memories_of_their_own(adapted: Any) -> None:
    adapter, _ = adapted
    users = ["Lé/..", "lé/..", "..", " ", "@requests", "a" * 512, "users/kim", "😀"]
    for number, user in enumerate(users):
        assert adapter.add(_request(user, f"Word number {number}.", id_=f"odd-{number}", session="s" * 512 if number else "\n"))[0] == 200
    for number, user in enumerate(users):
        assert [text for text in adapter.found("word", user) if "number" in text] == [f"user: Word number {number}."]


def test_ids_hold_over_restarts_of_adapter_and_service(shell: Any, serving: Callable[[Any], Any], new_shell: Any, tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    beside = new_shell(tmp_path / "adapter")
    body = _request("lea", "Before.", "And after.")
    with serving(shell) as server, _adapting(beside, "--target", server.address) as adapter:
        assert adapter.add(body)[0] == 200
        adapter.process.kill()
        server.kill()
    with serving(shell) as server, _adapting(beside, "--target", server.address) as adapter:
        assert adapter.add(body)[0] == 200
        assert adapter.add(body | {"session_id": "other"})[0] == 409
        with Client(server.address) as client:
            assert [message.text for message in client.list_messages("users/lea")] == ["Before.", "And after."]
        assert adapter.stop() == 0


@pytest.mark.neo4j
@pytest.mark.timeout(600)
def test_on_neo4j_ids_hold_for_two_services_at_once(neo4j: Any, new_shell: Any, serving: Callable[[Any], Any], tmp_path: Path) -> None:
    shells = []
    for name in ("one", "two", "adapters"):
        (tmp_path / name).mkdir()
        shells.append(new_shell(tmp_path / name))
        shells[-1].environment |= {f"STRUCTMEM_{key.upper()}": str(value) for key, value in neo4j.settings.items()}
    body = _request("tara", "I moved to Lisbon last Friday.", "My sister Ines lives in Porto.")
    with serving(shells[0]) as one, serving(shells[1]) as two:
        with _adapting(shells[2], "--target", one.address) as first, _adapting(shells[2], "--target", two.address) as second:
            with ThreadPoolExecutor(8) as pool:
                asked = [pool.submit((first, second)[number % 2].add, body) for number in range(8)]
                assert {one_.result()[0] for one_ in asked} == {200}
            assert second.add(body | {"user_id": "tom"})[0] == 409
            assert "user: I moved to Lisbon last Friday." in second.found("Lisbon", "tara")
        with Client(two.address) as client:
            assert [message.text for message in client.list_messages("users/tara")] == [message["content"] for message in body["messages"]]


async def test_a_request_that_died_after_its_id_was_noted_is_done_by_its_repeat(adapted: Any) -> None:
    adapter, address = adapted
    body = _request("mia", "Half done.")
    async with AsyncClient(address) as client:
        assert await RequestIds(client, "users").claim(AddRequest.model_validate(body))
    assert await asyncio.to_thread(adapter.found, "done", "mia") == []
    assert (await asyncio.to_thread(adapter.add, body))[0] == 200
    assert await asyncio.to_thread(adapter.found, "done", "mia") == ["user: Half done."]


def test_while_the_service_is_away_callers_are_told_to_try_again(
    shell: Any, serving: Callable[[Any], Any], new_shell: Any, tmp_path: Path
) -> None:
    (tmp_path / "adapter").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"
        with _adapting(new_shell(tmp_path / "adapter"), "--target", nowhere) as adapter:
            status, answer = adapter.add(_request("nils", "Words."))
            assert (status, answer["error"]["message"]) == (503, f"the service at {nowhere} cannot be reached")
            assert adapter.ask("GET", "/health")[0] == 503
            assert adapter.stop() == 0


def test_keys_and_tokens(shell: Any, serving: Callable[[Any], Any], new_shell: Any, tmp_path: Path) -> None:
    grant = '[[token.grant]]\nnamespaces = ["chat/**"]\nrights = ["read", "write", "admin"]\n'
    (tmp_path / "tokens.toml").write_text(f'[[token]]\nname = "http"\ntoken = "the token of the adapter"\n{grant}')
    shell.environment["STRUCTMEM_TOKEN_FILE"] = str(tmp_path / "tokens.toml")
    (tmp_path / "key").write_text("a key of some length\n")
    (tmp_path / "adapter").mkdir()
    beside = new_shell(tmp_path / "adapter")
    arguments = ("--key-file", tmp_path / "key", "--prefix", "chat")
    body = _request("olaf", "Words.")
    right = {"Authorization": "Bearer a key of some length"}
    with serving(shell) as server:
        with _adapting(beside, "--target", server.address, "--token", "the token of the adapter", *arguments) as adapter:
            for wrong in ({}, {"Authorization": "Bearer nonsense"}, {"X-API-Key": "nonsense"}, {"Authorization": "a key of some length"}):
                status, answer = adapter.add(body, headers=wrong)
                assert (status, answer["error"]["reason"]) == (401, "UNAUTHENTICATED")
            assert adapter.add(body, headers=right)[0] == 200
            assert adapter.found("words", "olaf", headers={"X-API-Key": "a key of some length"}) == ["user: Words."]
            assert adapter.ask("GET", "/health")[0] == 200
        with _adapting(beside, "--target", server.address, "--token", "another token than that", *arguments) as adapter:
            status, answer = adapter.add(body, headers=right)
            assert (status, answer["error"]["reason"]) == (502, "UNAUTHENTICATED")


def test_it_answers_what_it_was_asked_before_it_ends(beside_a_server: Any, new_shell: Any, tmp_path: Path) -> None:
    _, server = beside_a_server
    with _adapting(new_shell(tmp_path), "--target", server.address) as adapter:
        raw = json.dumps(_request("paul", "The last words.")).encode()
        with socket.create_connection((adapter.host, adapter.port), timeout=30) as line:
            head = f"POST /add HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
            line.sendall(head.encode() + raw[:20])
            time.sleep(0.3)
            adapter.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            line.sendall(raw[20:])
            assert line.recv(100).startswith(b"HTTP/1.1 200")
        assert adapter.process.wait(30) == 0
    with Client(server.address) as client:
        assert [message.text for message in client.list_messages("users/paul")] == ["The last words."]


def test_without_a_service_it_opens_the_directory_itself_and_waits_for_facts(shell: Any) -> None:
    with _adapting(shell, "--wait") as adapter:
        assert adapter.add(_request("rosa", "My sister Ines lives in Porto."))[0] == 200
        status, answer = adapter.ask("POST", "/search", {"query": "Who is Ines?", "user_id": "rosa", "top_k": 10})
        kinds = [item["id"].partition("_")[0] for item in answer["data"]]
        assert (status, kinds) == (200, ["msg"]), "a fact and the message that it rests on are not told twice"
        assert adapter.stop() == 0
    facts = shell("facts", "-n", "users/rosa", "--json").document["facts"]
    assert "The user's sister Ines lives in Porto." in [fact["text"] for fact in facts]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--host", "0.0.0.0"], "an address other than loopback needs a key"),
        (["--prefix", "a b"], "--prefix: must be segments of letters"),
        (["--prefix", "a" * 91], "--prefix: must be at most 90 characters"),
        (["--key-file", "short"], "a key has at least 16 characters"),
        (["--key-file", "nowhere"], "nowhere: No such file"),
    ],
)
def test_what_it_cannot_start_with_is_told(beside_a_server: Any, new_shell: Any, tmp_path: Path, arguments: list[str], why: str) -> None:
    _, server = beside_a_server
    (tmp_path / "short").write_text("short")
    done = new_shell(tmp_path)("http", "--port", "0", "--target", server.address, *arguments)
    assert done.code == 1
    assert why in done.err


_IDS = st.text(min_size=1, max_size=300)


@given(_IDS, _IDS)
def test_names_are_names_and_no_two_ids_have_one(one: str, other: str) -> None:
    for name in (user_namespace("a" * 90, one), user_namespace("users", one)):
        assert namespace_name_problem(name) is None
        assert name != requests_namespace("users")
    session = session_name(one)
    assert 1 <= len(session) <= 200
    assert session.strip()
    assert "\0" not in session or "\0" in one
    assert (user_namespace("users", one) == user_namespace("users", other)) == (one == other)
    assert (session == session_name(other)) == (one == other)
