"""Benchmarks, reproducible from the command line: what is found (`retrieval`), what survives a kill (`faults`) and how it grows (`scale`).

Each subcommand runs the real server in a process of its own and speaks to it over gRPC. docs/benchmarks.md says what each figure means.
"""
