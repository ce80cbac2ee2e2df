"""`structmem copy`: the same memory elsewhere, or nothing of it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LISBON = ("--timezone", "Europe/Lisbon")
LISTINGS = ("sessions", "messages", "events", "facts", "entities")


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "there"


@pytest.fixture
def told(shell: Any, chat: Path) -> Any:
    """A shell on whose data directory is the namespace alice, extracted, with a link that somebody decided."""
    shell("ingest", chat, "-n", "alice", *LISBON)
    assert shell("entities", "link", "Ines", "Maria", "-n", "alice").code == 0
    return shell


def outcomes(shell: Any, *arguments: str | Path) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in json.loads(shell("copy", *arguments, "--json").out)["namespaces"]}


def test_a_copy_is_the_same_memory(told: Any, there: Path) -> None:
    done = told("copy", "-n", "alice", "--to", there)
    assert done.code == 0
    assert done.out.startswith("alice: copied, and the same at both ends.")
    for listing in LISTINGS:
        here = told(listing, "-n", "alice", "--json").document
        assert here == told(listing, "-n", "alice", "--json", "--data-dir", there).document, listing
        assert here[listing]
    described = [told("namespaces", "describe", "alice", "--json", *at).document for at in ((), ("--data-dir", there))]
    assert described[0]["namespace"] == described[1]["namespace"]
    assert described[0]["graph"]["edges"] == described[1]["graph"]["edges"]
    [compared] = told("copy", "-n", "alice", "--to", there, "--verify-only", "--json").document["namespaces"]
    assert (compared["outcome"], compared["differences"]) == ("same", [])
    assert compared["source"] == compared["target"]
    assert compared["source"]["parts"]["decisions"]["count"] == 1
    assert told("copy", "-n", "alice", "--from", there, "--to", "embedded").out.startswith("alice: the same at both ends")


def test_other_content_of_that_name_is_refused_and_left_alone(told: Any, there: Path) -> None:
    assert told("copy", "-n", "alice", "--to", there, "--as", "team/alice").code == 0
    told("delete", "--session", "june", "-n", "team/alice", "--yes", "--data-dir", there)
    left = told("messages", "-n", "team/alice", "--json", "--data-dir", there).document
    refused = told("copy", "-n", "alice", "--to", there, "--as", "team/alice")
    assert refused.code == 1
    assert refused.err == "structmem: not the same at both ends: team/alice\n"
    assert refused.out.startswith("alice as team/alice: there is something else of that name, and nothing was written.")
    assert told("messages", "-n", "team/alice", "--json", "--data-dir", there).document == left


def test_what_is_not_there_is_told_and_nothing_is_made(told: Any, there: Path) -> None:
    assert told("copy", "-n", "alice", "--to", there, "--verify-only").code == 1
    assert not there.exists()
    assert told("copy", "-n", "nobody", "--to", there).err == "structmem: namespace 'nobody' does not exist\n"
    beside = told("copy", "-n", "alice", "--to", "embedded")
    assert beside.code == 2
    assert "--as" in beside.err
    assert outcomes(told, "-n", "alice", "--to", "embedded", "--as", "bob") == {"bob": "copied"}
    assert "none of: embedded" in " ".join(told("copy", "-n", "alice", "--to", "nonsense").err.split())


@pytest.fixture
def two_services(shell: Any, serving: Callable[..., Any], tmp_path: Path) -> Iterator[tuple[Any, Any, Any]]:
    """A shell, and services on two directories. No job runs on the first one."""
    second = type(shell)(tmp_path, shell.environment | {"STRUCTMEM_DATA_DIR": str(tmp_path / "second")})
    shell.environment["STRUCTMEM_WORKERS"] = "0"
    with serving(shell) as one, serving(second) as two:
        yield shell, one, two


def test_between_services_whose_jobs_go_on(two_services: Any, chat: Path) -> None:
    shell, one, two = two_services
    shell("ingest", chat, "-n", "alice", *LISBON, "--no-wait")
    ends = ("--from", one.address, "--to", two.address)
    assert outcomes(shell, "-n", "alice", *ends)["alice"] in ("copied", "went_on")
    # What waited to be extracted is extracted by the service that has the copy.
    deadline = time.monotonic() + 120
    asked = ("jobs", "-n", "alice", "--kind", "extraction", "--target", two.address, "--json")
    while {job["state"] for job in shell(*asked).document["jobs"]} != {"succeeded"}:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert shell("facts", "-n", "alice", "--target", two.address, "--json").document["facts"]
    again = shell("copy", "-n", "alice", *ends)
    assert again.code == 0
    assert "jobs have gone on with the copy" in again.out
    # What the copy has gained is not thrown away by a copy back, nor taken for the same.
    assert shell("copy", "-n", "alice", "--from", two.address, "--to", one.address).code == 1


def test_a_copy_that_is_killed_is_done_by_the_same_command_again(shell: Any, tmp_path: Path, there: Path) -> None:
    shell.environment |= {"STRUCTMEM_EMBEDDER": "none", "STRUCTMEM_EXTRACTION_MODE": "off"}
    lines = [{"session": f"s{n % 7}", "speaker": "Ana", "text": f"Number {n}, " + "and more " * 20} for n in range(3000)]
    (tmp_path / "long.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    names = ["team/a", "team/b", "team/c"]
    shell("ingest", tmp_path / "long.jsonl", "-n", names[0])
    for name in names[1:]:
        assert shell("copy", "-n", names[0], "--to", "embedded", "--as", name).code == 0
    process = shell.start("copy", "--prefix", "team", "--to", there)
    # The second namespace is being written.
    while len(list(there.glob("namespaces/*.db"))) < 2 and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait(10)
    found = [one["name"] for one in shell("namespaces", "--json", "--data-dir", there).document["namespaces"]]
    assert found == names[: len(found)]
    assert outcomes(shell, *(option for name in found for option in ("-n", name)), "--to", there, "--verify-only") == dict.fromkeys(
        found, "same"
    )
    expected = {name: "same" if name in found else "copied" for name in names}
    assert outcomes(shell, "--prefix", "team", "--to", there) == expected
    assert outcomes(shell, "--prefix", "team", "--to", there) == dict.fromkeys(names, "same")
    assert shell("doctor", "--data-dir", there).code == 0
