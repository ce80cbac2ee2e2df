"""The command line `structmem`. It is a client of a service: of one that runs, or of one that it opens in this process.

Everything heavy is imported by the command that needs it, so that help and completion are quick.
"""

import sys


def main() -> None:
    """Runs the command line."""
    from service.cli.app import app
    from service.cli.failures import report_fault

    try:
        app()
    except Exception as fault:  # noqa: BLE001  # a user never meets a traceback; STRUCTMEM_DEBUG shows it
        sys.exit(report_fault(fault))
