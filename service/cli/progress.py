"""Progress bars on standard error; silent where that is no terminal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from structmem import Client, Imported, Job

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar."""

    bars: "Progress"
    task: "TaskID"

    def counting(self, items: Iterable[T]) -> Iterator[T]:
        """Passes items on and moves with each."""
        for item in items:
            yield item
            self.bars.advance(self.task)

    def move_to(self, done: float, total: float | None = None) -> None:
        """Moves it to a place, of so many where that has changed."""
        self.bars.update(self.task, completed=done, total=total)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars that are shown together."""

    bars: "Progress"

    def add(self, what: str, total: int) -> Bar:
        """Another bar."""
        return Bar(self.bars, self.bars.add_task(what, total=total))


@contextmanager
def progress() -> Iterator[Bars]:
    """Shows bars while the block runs."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from service.cli.tables import error_console

    columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = error_console()
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield Bars(bars)


def follow(client: "Client", job: "Job", what: str) -> "Job":
    """Waits until a job has ended, and gives it as it ended."""
    with progress() as bars:
        bar = bars.add(what, job.total_units)
        for current in client.watch_job(job.namespace, job.id):
            bar.move_to(current.completed_units, current.total_units)
            job = current
    return job


def extract(client: "Client", imported: "Imported") -> "list[Job]":
    """Waits until what was imported is extracted, without waiting for more messages, and gives the jobs as they ended."""
    if not imported.job_ids:
        return []
    client.flush(imported.namespace)
    ended: list[Job] = []
    with progress() as bars:
        totals: dict[str, int] = {job_id: client.get_job(imported.namespace, job_id).total_units for job_id in imported.job_ids}
        if imported.job_count > len(totals):
            open_jobs = client.list_jobs(
                imported.namespace,
                states=("queued", "running"),
                kinds=("extraction",),
                at_least=imported.consistency_token,
                page_size=500,
            )
            totals |= {job.id: job.total_units for job in open_jobs}
        bar = bars.add("extracting", sum(totals.values()))
        before = 0
        for job_id in totals:
            job = None
            client.expedite_job(imported.namespace, job_id)
            for job in client.watch_job(imported.namespace, job_id):
                bar.move_to(before + job.completed_units)
            if job is not None:
                before += job.total_units
                ended.append(job)
    return ended
