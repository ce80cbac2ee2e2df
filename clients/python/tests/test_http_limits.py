"""What the HTTP adapter does with more, slower and longer requests than it takes."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvicorn
from structmem import AsyncClient
from structmem.http import HttpOptions, make_app
from structmem.v1 import memory_service_pb2 as pb

SEARCH = json.dumps({"query": "x", "user_id": "u", "top_k": 1}).encode()


@contextlib.contextmanager
def _adapter(target: str, options: HttpOptions) -> Iterator[int]:
    """The adapter on a port, in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(make_app(lambda: AsyncClient(target, retries=0), options), log_config=None, timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


def _search(port: int) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("POST", "/search", SEARCH, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def _eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_requests_wait_for_their_turn_and_only_so_many(script: Any) -> None:
    go = threading.Event()

    def retrieve(*_: Any) -> pb.RetrieveResponse:
        go.wait(20)
        return pb.RetrieveResponse()

    script.answers = {"Retrieve": retrieve}
    with _adapter(script.target, HttpOptions(max_concurrent=2, max_waiting=3)) as port, ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(_search, port) for _ in range(6)]
        _eventually(lambda: any(one.done() for one in asked))
        _eventually(lambda: len(script.requests) == 2)
        go.set()
        answers = [one.result() for one in asked]
    assert sorted(status for status, _ in answers) == [200] * 5 + [503]
    (refused,) = [answer for status, answer in answers if status == 503]
    assert refused["error"]["reason"] == "TOO_MANY_REQUESTS"
    assert len(script.requests) == 5


def test_a_service_that_does_not_answer_and_a_body_that_does_not_come(script: Any) -> None:
    go = threading.Event()
    script.answers = {"Retrieve": lambda *_: go.wait(20) and pb.RetrieveResponse()}
    with _adapter(script.target, HttpOptions(call_timeout_s=0.5, body_timeout_s=0.2)) as port:
        status, answer = _search(port)
        assert (status, answer["error"]["reason"]) == (504, "DEADLINE_EXCEEDED")
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(b"POST /search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
            assert line.recv(50).startswith(b"HTTP/1.1 408")
        go.set()


def test_a_fault_of_the_adapter_is_told_without_its_text(
    script: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("structmem.http.app.search", broken)
    with _adapter(script.target, HttpOptions()) as port:
        status, answer = _search(port)
    assert (status, answer) == (500, {"error": {"reason": "INTERNAL", "message": "a fault of the adapter; its log has more"}})
    assert "a request could not be answered" in caplog.text
