"""`python -m structmem.lightmem CONFIG.json`: the settings of the service, in TOML, that do what a configuration of LightMem's asks for."""

import json
import sys
from pathlib import Path

from structmem.lightmem.configuration import LightMemConfigError
from structmem.lightmem.settings import service_settings


def main(arguments: list[str]) -> int:
    """Prints the settings; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m structmem.lightmem CONFIG.json", file=sys.stderr)
        return 2
    try:
        settings = service_settings(json.loads(Path(arguments[0]).read_text("utf-8")))
    except OSError as error:
        return _failed(f"{arguments[0]}: {error.strerror}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        return _failed(f"{arguments[0]} is not JSON: {error}")
    except LightMemConfigError as error:
        return _failed("\n".join(f"{name}: {reason}" for name, reason in error.problems))
    for name, value in settings.items():
        # A string of JSON is one of TOML, too; so are its numbers and booleans.
        print(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return 0


def _failed(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
