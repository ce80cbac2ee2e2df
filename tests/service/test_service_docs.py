"""The docs name what the code has: every reason, every setting."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import structmem
from structmem.v1 import retrieval_pb2
from structmem.v1.error_reason_pb2 import ErrorReason

import service.errors
from extract.outcome import _MESSAGES
from graph.errors import LeaseLost, StoreBusy, StructMemError
from graph.retrieval import DegradationReason
from graph.store.search import IndexSnapshotDamaged
from service.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PROTO = DOCS.parent / "proto" / "structmem" / "v1"


def below(kind: type[StructMemError]) -> Iterator[type[StructMemError]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def contract_reasons() -> dict[str, tuple[str, str]]:
    """What the contract says of each reason: its meaning, which begins with the status, and what to do."""
    text = (PROTO / "error_reason.proto").read_text()
    found = re.findall(r"^  // (.+)\n  // What to do: (.+)\n  ERROR_REASON_([A-Z_]+) = \d+;", text, re.MULTILINE)
    return {reason: (meaning, advice) for meaning, advice, reason in found}


def row_reasons(pattern: str) -> list[tuple[str, ...]]:
    return re.findall(pattern, re.sub(r"\[([^]]*)\]\([^)]*\)", r"docs/\1", (DOCS / "errors.md").read_text()), re.MULTILINE)


# What no caller meets: the service does not start, or a worker or a store deals with it. The contract keeps no number for these.
AT_START_OR_INSIDE = {service.errors.InvalidSettings, StoreBusy, LeaseLost, IndexSnapshotDamaged}


def test_every_reason_that_callers_meet_is_described_with_its_status() -> None:
    kinds = set(below(StructMemError))
    assert service.errors.ShuttingDown in kinds
    assert kinds >= AT_START_OR_INSIDE
    met = {kind for kind in kinds - AT_START_OR_INSIDE if kind.__module__.partition(".")[0] in {"graph", "extract", "service"}}
    raised = {(kind.reason, kind.status) for kind in met}
    assert not {f"ERROR_REASON_{kind.reason}" for kind in AT_START_OR_INSIDE} & set(ErrorReason.keys())
    described = {(reason, status) for reason, status, *_ in row_reasons(r"^\| `([A-Z_]+)` \| ([A-Z_]+) \|")}
    assert described == raised


def test_the_page_says_what_the_contract_says() -> None:
    calls = {
        reason: (f"{status}. {meaning}.", f"{advice}.")
        for reason, status, meaning, advice in row_reasons(r"^\| `([A-Z_]+)` \| ([A-Z_]+) \| (.+?) \| (.+?) \|$")
    }
    jobs = {
        reason: (f"Of jobs alone. {meaning}.", f"{advice}.")
        for reason, meaning, advice in row_reasons(r"^\| `([A-Z_]+)` \| ([^|]*[a-z][^|]*?) \| ([^|]+?) \|$")
    }
    page = {reason: (meaning, advice.lower()) for reason, (meaning, advice) in (calls | jobs).items()}
    assert page == {reason: (meaning, advice.lower()) for reason, (meaning, advice) in contract_reasons().items()}
    assert set(ErrorReason.keys()) == {f"ERROR_REASON_{reason}" for reason in [*page, "UNSPECIFIED"]}


def told_keys(meaning: str) -> set[str]:
    """The keys of the metadata that the description of a reason names."""
    _, _, after = meaning.partition("metadata")
    return set(re.findall(r"`([a-z_]+)`", re.sub(r"\(`[a-z_]+`\)", "", after)))


def given_keys(tree: ast.AST, reasons: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each key that a file puts into the metadata of an error, with the error's reason."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        named = {
            target.id: assigned.value
            for assigned in ast.walk(function)
            if isinstance(assigned, ast.Assign)
            for target in assigned.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            of = function.name if isinstance(function, ast.ClassDef) else getattr(call.func, "id", "")
            for given in (it.value for it in call.keywords if it.arg == "metadata" and of in reasons):
                parts = [node for node in ast.walk(given) if isinstance(node, ast.Dict | ast.Name)]
                dicts = [named.get(part.id, part) if isinstance(part, ast.Name) else part for part in parts]
                keys = [key for part in dicts for one in ast.walk(part) if isinstance(one, ast.Dict) for key in one.keys]
                yield from ((reasons[of], str(key.value)) for key in keys if isinstance(key, ast.Constant))


def test_the_contract_names_what_the_metadata_of_each_reason_has() -> None:
    reasons = {kind.__name__: kind.reason for kind in below(StructMemError) if kind not in AT_START_OR_INSIDE}
    given: dict[str, set[str]] = {}
    for folder in ("graph", "extract", "service"):
        for path in (DOCS.parent / folder).rglob("*.py"):
            for reason, key in given_keys(ast.parse(path.read_text()), reasons):
                given.setdefault(reason, set()).add(key)
    told = {reason: told_keys(meaning) for reason, (meaning, _) in contract_reasons().items()}
    assert given == {reason: keys for reason, keys in told.items() if keys}


def test_every_reason_of_a_job_is_in_the_contract() -> None:
    texts = "".join(path.read_text() for path in (DOCS.parent / "extract").rglob("*.py"))
    reasons = set(_MESSAGES) | {f"EXTRACTOR_ANSWER_{end}" for end in re.findall(r'_fail(?:ed|ure)\("([A-Z_]+)"', texts)}
    assert len(reasons) > 8
    assert {f"ERROR_REASON_{reason}" for reason in reasons} <= set(ErrorReason.keys())


def test_the_python_client_knows_every_reason() -> None:
    assert {f"ERROR_REASON_{reason.name}" for reason in structmem.ErrorReason} == set(ErrorReason.keys())
    degradations = retrieval_pb2.DegradationReason.keys()
    assert {f"DEGRADATION_REASON_{reason.name}" for reason in structmem.DegradationReason} == set(degradations)
    assert {reason.name: int(reason) for reason in DegradationReason} == {
        name.removeprefix("DEGRADATION_REASON_"): number for name, number in retrieval_pb2.DegradationReason.items() if number
    }


def test_every_setting_is_described() -> None:
    described = set(re.findall(r"^\| `([a-z0-9_]+)` \|", (DOCS / "configuration.md").read_text(), re.MULTILINE))
    assert described == set(Settings.model_fields)
