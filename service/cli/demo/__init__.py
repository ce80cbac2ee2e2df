"""The demo: a real server on an embedded store, a conversation of four months between two friends, and questions about it."""

from service.cli.demo.run import run

__all__ = ["run"]
