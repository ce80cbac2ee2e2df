"""`bench convert`: LoCoMo and LongMemEval, as their authors published them, in the neutral format of `bench.dataset`.

The files are read and written one conversation at a time, since LongMemEval's largest has gigabytes. Nothing is mended in silence: what
cannot be kept is counted and told.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bench.convert.elements import elements
from bench.convert.left_out import LeftOut
from bench.convert.locomo import locomo_conversation
from bench.convert.longmemeval import longmemeval_conversation
from bench.report import BenchError, Report

HELP = "bring LoCoMo or LongMemEval, as published, into the neutral format"
LOCOMO = {"licence": "CC BY-NC 4.0", "source": "snap-research/locomo, data/locomo10.json"}
LONGMEMEVAL = {"licence": "MIT", "source": "xiaowu0162/LongMemEval"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="locomo10.json, or longmemeval_s.json, _m.json or _oracle.json")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="only so many conversations (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Converts one file."""
    if arguments.first < 0:
        raise BenchError("--first: must be at least 1")
    report = Report(arguments.json)
    if arguments.out.resolve() == arguments.file.resolve():
        raise BenchError("--out: must be another file")
    part = arguments.out.with_name(arguments.out.name + ".part")
    try:
        figures = _write(arguments.file, part, arguments.first or None)
        part.replace(arguments.out)
    except OSError as error:
        raise BenchError(f"cannot write {arguments.out}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    report.table(str(arguments.out), ("what", "how many"), [(name, figures[name]) for name in ("conversations", "messages", "questions")])
    report.table("questions by category", ("category", "questions"), list(figures["categories"].items()))
    if figures["left_out"]:
        report.table("left out", ("what", "how many"), list(figures["left_out"].items()))
    report.result(figures)
    return 0


def _write(source: Path, target: Path, first: int | None) -> dict[str, Any]:
    left_out, counts, categories = LeftOut(), Counter[str](), Counter[str]()
    read = islice(elements(source), first)
    begun = next(read, None)
    if begun is None:
        raise BenchError(f"{source}: is an empty array")
    is_locomo = _is_locomo(begun, source)
    convert = locomo_conversation if is_locomo else longmemeval_conversation
    seen: set[str] = set()
    with target.open("w", encoding="utf-8") as file:
        described = json.dumps({"name": source.stem, **(LOCOMO if is_locomo else LONGMEMEVAL)})
        file.write(f'{described[:-1]}, "conversations": [')
        for number, raw in enumerate(_from(begun, read)):
            conversation = convert(raw, f"{source}: [{number}]", left_out)
            if conversation["id"] in seen:
                raise BenchError(f"{source}: [{number}]: two conversations have the id {conversation['id']!r}")
            seen.add(conversation["id"])
            file.write((",\n" if number else "\n") + json.dumps(conversation))
            counts["conversations"] += 1
            counts["messages"] += sum(len(session["messages"]) for session in conversation["sessions"])
            counts["questions"] += len(conversation["questions"])
            categories.update(question["category"] for question in conversation["questions"])
        file.write("\n]}\n")
    return {"dataset": source.stem, **counts, "categories": dict(sorted(categories.items())), "left_out": left_out.counts}


def _from(begun: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield begun
    yield from rest


def _is_locomo(raw: Any, source: Path) -> bool:
    if isinstance(raw, dict) and "conversation" in raw:
        return True
    if isinstance(raw, dict) and "haystack_sessions" in raw:
        return False
    raise BenchError(f"{source}: [0]: has neither `conversation`, as LoCoMo has, nor `haystack_sessions`, as LongMemEval has")
