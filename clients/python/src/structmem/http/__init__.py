"""A memory behind two HTTP calls, `POST /add` and `POST /search`, as benchmarks of agent memories ask for one (docs/http.md).

It is a client of a StructMem service and keeps nothing itself. It needs the extra: `pip install 'structmem[http]'`.
"""

try:
    import pydantic  # noqa: F401  # named before the parts that need it, so that what is missing is told once and with advice
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as missing:
    raise ImportError(f"structmem.http needs {missing.name}: pip install 'structmem[http]'", name=missing.name) from None

from structmem.http.app import HttpOptions, make_app
from structmem.http.serving import serve

__all__ = ["HttpOptions", "make_app", "serve"]
