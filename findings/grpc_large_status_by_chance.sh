#!/usr/bin/env bash
# grpcio 1.85.1 with grpcio-status 1.85.1: a status with 12,000 bytes of details arrives as what it is in about half of the calls, and as RESOURCE_EXHAUSTED,
# "Stream removed (received metadata size exceeds soft limit ...", in the others; nothing but chance decides, both ends having their defaults. The trailers
# of a refused call are there all the same: its details still say INVALID_ARGUMENT, so that `rpc_status.from_call` gives no status but a ValueError.
# Between its soft limit (8 KiB) and its hard one (16 KiB) gRPC's core refuses metadata at random, the larger the more often (https://github.com/grpc/grpc/pull/32600).
# Seen: of 200 equal calls, some INVALID_ARGUMENT with details, the others RESOURCE_EXHAUSTED with a ValueError; of 200 with 6,000 bytes, all the former.
# Fails when that changes.
set -euo pipefail
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$made"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check grpcio==1.85.1 grpcio-status==1.85.1 protobuf==7.36.2 googleapis-common-protos==1.76.0
cat >call.py <<'PYTHON'
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status


def refuse(request, context):
    """Ends the call with as many bytes of details as the request says."""
    detail = Any()
    detail.Pack(error_details_pb2.DebugInfo(detail="x" * int(request)))
    context.abort_with_status(rpc_status.to_status(status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="no", details=[detail])))


def seen(channel, size: int) -> tuple[str, str]:
    """The code of a refused call, and what `from_call` makes of it."""
    try:
        channel.unary_unary("/example.Service/Refuse")(str(size).encode())
    except grpc.RpcError as error:
        try:
            status = rpc_status.from_call(error)
        except ValueError:
            return error.code().name, "ValueError"
        return error.code().name, "no status" if status is None else f"{len(status.details)} detail"
    raise AssertionError("the call was not refused")


server = grpc.server(ThreadPoolExecutor(2))
handlers = {"Refuse": grpc.unary_unary_rpc_method_handler(refuse)}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("example.Service", handlers),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    counts = {size: Counter(seen(channel, size) for _ in range(200)) for size in (6_000, 12_000)}
server.stop(None).wait()
for size, count in counts.items():
    print(f"{size} bytes of details:", ", ".join(f"{times} x {code} ({details})" for (code, details), times in sorted(count.items())))
told, lost = ("INVALID_ARGUMENT", "1 detail"), ("RESOURCE_EXHAUSTED", "ValueError")
assert set(counts[6_000]) == {told}
assert set(counts[12_000]) == {told, lost}
PYTHON
venv/bin/python call.py
