#!/usr/bin/env bash
# grpcio-reflection 1.85.1: asked for the file that holds a symbol, it finds services, messages, fields, enumerations and even their values, but no method:
# `grpcurl describe grpc.health.v1.Health.Check` and every tool that looks up a method by its name are told NOT_FOUND by a server whose service they can
# list and call. A method's full name is one of the symbols that the protocol names.
# The servicer asks Python's descriptor pool, whose FindFileContainingSymbol knows no methods, though FindMethodByName does (https://github.com/grpc/grpc/issues/34743).
# Seen: a file for each of five symbols; NOT_FOUND for the method. Fails when either changes.
set -euo pipefail
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
cd "$made"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check grpcio==1.85.1 grpcio-reflection==1.85.1 grpcio-health-checking==1.85.1 protobuf==7.36.2
cat >ask.py <<'PYTHON'
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

OTHERS = ["Health", "HealthCheckRequest", "HealthCheckRequest.service", "HealthCheckResponse.ServingStatus", "HealthCheckResponse.SERVING"]

server = grpc.server(ThreadPoolExecutor(2))
health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
reflection.enable_server_reflection(["grpc.health.v1.Health", reflection.SERVICE_NAME], server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()

with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)

    def answer(name: str) -> str:
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=f"grpc.health.v1.{name}")
        [response] = stub.ServerReflectionInfo(iter([request]))
        code = response.error_response.error_code
        return next(status.name for status in grpc.StatusCode if status.value[0] == code) if code else response.WhichOneof("message_response")

    answers = {name: answer(name) for name in [*OTHERS, "Health.Check"]}
server.stop(None).wait()
for name, told in answers.items():
    print(f"grpc.health.v1.{name}: {told}")
assert answers == dict.fromkeys(OTHERS, "file_descriptor_response") | {"Health.Check": "NOT_FOUND"}
PYTHON
venv/bin/python ask.py
