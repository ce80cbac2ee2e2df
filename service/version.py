"""The version of the service that runs."""

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("structmem-server")
    except PackageNotFoundError:
        return "0+unknown"


VERSION = _version()
