"""The command line `structmem`. It is a client of a service: of one that runs, or of one that it opens in this process.

Everything heavy is imported by the command that needs it, so that help and completion are quick.
"""

import os
import sys


def main() -> None:
    """Runs the command line."""
    # Matrices here are small: a second thread for them is not worth its waiting where cores are few or shared
    # (the decomposition of a 384 x 384 matrix took 15 ms with one, up to 1.9 s with two). Read when numpy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from service.cli.app import app
    from service.cli.failures import report_fault

    try:
        app()
    except Exception as fault:  # noqa: BLE001  # a user never meets a traceback; STRUCTMEM_DEBUG shows it
        sys.exit(report_fault(fault))
