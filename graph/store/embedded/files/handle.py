"""The way to one namespace's file: by its name once, and from then on to the namespace that was found."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import apsw

from graph.errors import InvalidArgument, NamespaceNotFound
from graph.model import Namespace
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Transaction
from graph.store.port import ConsistencyPoint, Missing
from graph.store.rules.consistency import require_revision

T = TypeVar("T")
P = ParamSpec("P")


class Handle:
    """A namespace by its name, fixed to the uid that the first call finds; its reads see what `at_least` names."""

    def __init__(self, engine: Engine, name: str, at_least: ConsistencyPoint | None, missing: Missing | None) -> None:
        self.name = name
        self.engine = engine
        self._at_least = at_least
        self._missing = missing
        self._uid = ""

    async def call(self, work: Callable[[NamespaceFile, Namespace], T]) -> T:
        """Runs `work` on the namespace's open file in a thread.

        Raises:
            NamespaceNotFound: there is no such namespace, or it is not the one that this handle has found before.
        """
        try:
            return await self.engine.workers.run(lambda: self._opened(work))
        except NamespaceNotFound:
            if self._missing is not None:
                await self._missing(self.name)
            raise

    def _opened(self, work: Callable[[NamespaceFile, Namespace], T]) -> T:
        def fixed(file: NamespaceFile, settings: Namespace) -> T:
            # Two first calls at once may have looked the name up before either was through.
            if self._uid not in ("", settings.uid):
                raise NamespaceNotFound(self.name)
            self._uid = settings.uid
            return work(file, settings)

        return self.engine.with_file(self.name, fixed, uid=self._uid)

    async def read(self, work: Callable[[apsw.Connection, Namespace], T]) -> T:
        """Runs `work` in a read transaction."""

        def reading(file: NamespaceFile, settings: Namespace) -> T:
            with file.read() as db:
                if self._at_least is not None:
                    self.require(settings.uid, int(db.execute("SELECT revision FROM state").get))
                return work(db, settings)

        return await self.call(reading)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` in a write transaction."""

        def writing(file: NamespaceFile, settings: Namespace) -> T:
            with file.write(settings) as tx:
                return work(tx)

        return await self.call(writing)

    def require(self, uid: str, revision: int) -> None:
        """Lets a read pass that is of this revision. Raises RevisionNotReached, InvalidArgument."""
        if self._at_least is not None and self._at_least.position:
            raise InvalidArgument.of("at_least", "is of another store")
        require_revision(self._at_least, uid, revision)


Method = Callable[Concatenate[Handle, P], Coroutine[Any, Any, T]]


def with_file(work: Callable[Concatenate[NamespaceFile, Namespace, P], T]) -> Method[P, T]:
    """The method of handles that does this work on the namespace's open file."""

    @wraps(work)
    async def method(handle: Handle, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await handle.call(lambda file, settings: work(file, settings, *args, **kwargs))

    return method


def reading(work: Callable[Concatenate[apsw.Connection, P], T]) -> Method[P, T]:
    """The method of handles that does this work in a read transaction."""

    @wraps(work)
    async def method(handle: Handle, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await handle.read(lambda db, _: work(db, *args, **kwargs))

    return method


def reading_with_settings(work: Callable[Concatenate[apsw.Connection, Namespace, P], T]) -> Method[P, T]:
    """The same for work that needs the namespace's settings, too."""

    @wraps(work)
    async def method(handle: Handle, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await handle.read(lambda db, settings: work(db, settings, *args, **kwargs))

    return method


def writing(work: Callable[Concatenate[Transaction, P], T]) -> Method[P, T]:
    """The method of handles that does this work in a write transaction."""

    @wraps(work)
    async def method(handle: Handle, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await handle.write(lambda tx: work(tx, *args, **kwargs))

    return method
