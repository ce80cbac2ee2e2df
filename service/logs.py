"""Logs: structlog to standard error, as lines for people or as JSON.

The rooms below the service, and the libraries, log with the standard library; what they say takes the same form.
"""

import logging
import sys

import structlog

from service.settings import Settings


class _StandardLines(logging.StreamHandler):  # type: ignore[type-arg]  # the class takes no argument at run time
    """Writes the standard library's records. Its type tells it from the handlers of others, such as a test runner's."""


def configure_logs(settings: Settings) -> None:
    """Sets up structlog and the standard library's logging for the process; a second time replaces the first."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering = _rendering(settings)
    structlog.configure(
        processors=[*common, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    lines = _StandardLines(sys.stderr)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    for former in [handler for handler in root.handlers if isinstance(handler, _StandardLines)]:
        root.removeHandler(former)
    root.addHandler(lines)
    # Below a warning, libraries tell what only their authors need.
    root.setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)


def _rendering(settings: Settings) -> list[structlog.typing.Processor]:
    if settings.log_format == "json":
        # JSON has no place for a traceback of many lines.
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # Not the library's own tracebacks: they print local variables, and with them what people said.
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
