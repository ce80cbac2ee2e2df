#!/usr/bin/env bash
# grpcio 1.85.1: a stream that failed says so to the first `async for` over its call in grpc.aio, and to no later one: that ends at once and in order, as the
# stream of a server that had nothing to send does. `read()` of the same kind of call raises each time, and so does the iteration of the synchronous API, whose
# calls look the same. Whoever goes on with a call that somebody else has begun to read must ask its `code()`: a stream that ended is not one that was whole.
# The call makes one generator for all its iterations, and a generator that has raised is at its end (src/python/grpcio/grpc/aio/_call.py).
# Seen: DATA_LOSS, then twice an end without an error; DATA_LOSS three times by `read()` and three times in the synchronous API. Fails when any of it changes.
set -euo pipefail
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$made"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check grpcio==1.85.1
cat >ask.py <<'PYTHON'
import asyncio
from concurrent.futures import ThreadPoolExecutor

import grpc

METHOD = "/example.Numbers/Count"


def count(request, context):
    yield b"one"
    context.abort(grpc.StatusCode.DATA_LOSS, "the rest is gone")


handlers = {"Count": grpc.unary_stream_rpc_method_handler(count)}
server = grpc.server(ThreadPoolExecutor(2))
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("example.Numbers", handlers)])
port = server.add_insecure_port("127.0.0.1:0")
server.start()


def told(attempts):
    print(*attempts, sep=", ")
    return attempts


async def asynchronous():
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_stream(METHOD)(b"")
        iterated = []
        for _ in range(3):
            try:
                async for _ in call:
                    pass
                iterated.append("ended")
            except grpc.RpcError as error:
                iterated.append(error.code().name)
        assert await call.code() is grpc.StatusCode.DATA_LOSS
        call = channel.unary_stream(METHOD)(b"")
        assert await call.read() == b"one"
        read = []
        for _ in range(3):
            try:
                read.append(await call.read())
            except grpc.RpcError as error:
                read.append(error.code().name)
    return iterated, read


def synchronous():
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_stream(METHOD)(b"")
        iterated = []
        for _ in range(3):
            try:
                for _ in call:
                    pass
                iterated.append("ended")
            except grpc.RpcError as error:
                iterated.append(error.code().name)
    return iterated


iterated, read = asyncio.run(asynchronous())
print("grpc.aio, async for, three times:", end=" ")
assert told(iterated) == ["DATA_LOSS", "ended", "ended"]
print("grpc.aio, read(), three times:", end=" ")
assert told(read) == ["DATA_LOSS"] * 3
print("synchronous, for, three times:", end=" ")
assert told(synchronous()) == ["DATA_LOSS"] * 3
server.stop(None).wait()
PYTHON
venv/bin/python ask.py
