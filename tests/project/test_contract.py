import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
# What the first version promises; later versions add to it.
PROMISED = {
    "structmem.v1.MemoryService": {
        "AppendMessages",
        "FlushSession",
        "ImportMessages",
        "Retrieve",
        "BuildContext",
        "GetMemory",
        "GetEvent",
        "ListEvents",
        "ListFacts",
        "ListMessages",
        "ListSessions",
        "ListEntities",
        "TraverseEvents",
        "DeleteMemories",
        "ExportNamespace",
        "ImportNamespace",
        "GetJob",
        "ListJobs",
        "WatchJob",
        "CancelJob",
        "RetryJob",
    },
    "structmem.v1.NamespaceService": {"CreateNamespace", "GetNamespace", "ListNamespaces", "UpdateNamespace", "DeleteNamespace"},
    "structmem.v1.InspectionService": {"DescribeGraph", "GetServerInfo", "GetUsage"},
}


def _released() -> descriptor_pb2.FileDescriptorSet:
    return descriptor_pb2.FileDescriptorSet.FromString((ROOT / "proto" / "structmem.v1.binpb").read_bytes())


def test_the_released_contract_has_every_promised_call() -> None:
    offered = {
        f"{file.package}.{service.name}": {method.name for method in service.method}
        for file in _released().file
        for service in file.service
    }

    for service, methods in PROMISED.items():
        assert methods <= offered[service]


@pytest.mark.skipif(not (TOOLS / "buf").exists(), reason="buf is installed for checks, not for tests")
def test_the_contract_breaks_nobody() -> None:
    arguments = [str(TOOLS / "buf"), "breaking", "--against", "structmem.v1.binpb"]
    done = subprocess.run(arguments, cwd=ROOT / "proto", capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
