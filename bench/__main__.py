"""`python -m bench SUBCOMMAND`: each subcommand is a module of this package with `HELP`, `add_arguments` and `run`."""

import argparse
import importlib
import signal
import sys

from bench.report import BenchError

SUBCOMMANDS = (
    "convert",
    "retrieval",
    "qa",
    "ablation",
    "relevance",
    "extraction",
    "consolidation",
    "economics",
    "compression",
    "faults",
    "scale",
    "memory",
    "structures",
    "peers",
    "worst-texts",
    "segments",
    "changes",
    "reconcile",
)


def main(arguments: list[str] | None = None) -> int:
    """Runs a subcommand; returns the exit status: 1 when it could not run or what it checks does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of StructMem.")
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
    for name in SUBCOMMANDS:
        module = importlib.import_module(f"bench.{name.replace('-', '_')}")
        subparser = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run)
    parsed = parser.parse_args(arguments)
    # Servers are started in sessions of their own: whoever ends the benchmark must have them ended, too.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        return int(parsed.run(parsed))
    except BenchError as error:
        print(f"bench {parsed.subcommand}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
