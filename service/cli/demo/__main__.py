"""`python -m service.cli.demo`."""

import sys

from service.cli.demo import run

if __name__ == "__main__":
    sys.exit(run(None))
