"""How the command line fails: a sentence on standard error and exit code 1, never a traceback."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer


def fail(message: str, code: int = 1) -> NoReturn:
    """Ends the command with a sentence."""
    typer.echo(f"structmem: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def reported() -> Iterator[None]:
    """Turns errors of StructMem, of the client or of this process, into a sentence."""
    from structmem import JobFailedError, StructMemError, UnauthenticatedError

    from graph.errors import StructMemError as DomainError

    try:
        yield
    except UnauthenticatedError as error:
        fail(f"{error}; --token or STRUCTMEM_TOKEN gives it")
    except JobFailedError as error:
        fail(f"{error}; `structmem jobs retry {error.job.id} -n {error.job.namespace}` starts it again")
    except (StructMemError, DomainError) as error:
        fail(_sentence(error))
    except BrokenPipeError:
        # The reader (such as `head`) has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}{error.strerror or error}")


def _sentence(error: Exception) -> str:
    violations = getattr(error, "violations", ())
    if not violations:
        return str(error)
    return "; ".join(f"{violation.field}: {violation.reason}" for violation in violations)


def report_fault(fault: Exception) -> int:
    """Says that something unforeseen happened; returns the exit code."""
    if os.environ.get("STRUCTMEM_DEBUG"):
        traceback.print_exception(fault)
    else:
        typer.echo(f"structmem: a fault of the program ({type(fault).__name__}); STRUCTMEM_DEBUG=1 shows more", err=True)
    return 1
