import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import structmem.v1
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
        "GetNode",
        "GetEvent",
        "ListEvents",
        "ListStatements",
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
    "structmem.v1.InspectionService": {"GetGraphStats", "GetServerInfo", "GetUsage"},
    "structmem.v1.DeletionService": {"ListDeletions", "ListDeletedItems", "CheckDeletion"},
    "structmem.v1.SummaryService": {"ListSummaries", "GetSummary", "ConsolidateSummaries", "GetProfile"},
    "structmem.v1.AnswerService": {"Answer", "StreamAnswer"},
}


def _released() -> dict[str, set[str]]:
    files = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "proto" / "structmem.v1.binpb").read_bytes()).file
    return {f"{file.package}.{service.name}": {method.name for method in service.method} for file in files for service in file.service}


def _generated() -> dict[str, set[str]]:
    """What the code that is installed today offers."""
    package = Path(structmem.v1.__file__).parent
    modules = [importlib.import_module(f"structmem.v1.{file.stem}") for file in package.glob("*_service_pb2.py")]
    services = [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]
    return {service.full_name: {method.name for method in service.methods} for service in services}


@pytest.mark.parametrize("offered", [_released, _generated])
def test_the_contract_has_every_promised_call(offered: Callable[[], dict[str, set[str]]]) -> None:
    assert PROMISED.keys() <= offered().keys()
    for service, methods in PROMISED.items():
        assert methods <= offered()[service]


def test_what_was_released_is_still_generated() -> None:
    generated = _generated()
    for service, methods in _released().items():
        assert methods <= generated[service]


@pytest.mark.skipif(not (TOOLS / "buf").exists(), reason="buf is installed for checks, not for tests")
def test_the_contract_breaks_nobody() -> None:
    arguments = [str(TOOLS / "buf"), "breaking", "--against", "structmem.v1.binpb"]
    done = subprocess.run(arguments, cwd=ROOT / "proto", capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
