"""`structmem doctor`: whether the store is sound."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import tables
from service.cli.connection import ConfigOption, ConnectionOptions, DataDirOption, ensure_stored, settings_of
from service.cli.counts import counted
from service.cli.documents import print_json
from service.cli.failures import reported
from service.cli.options import JsonOption

if TYPE_CHECKING:
    from graph.store.port import Finding, Store
    from service.settings import Settings


_WHOLE = ""


def doctor(
    namespace: Annotated[list[str] | None, typer.Option("--namespace", "-n", help="Only this one; may be given several times.")] = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Checks a data directory that no service has open, or a Neo4j: orphans, dangling evidence, vectors, indexes. Exit code 1 on findings.

    Of a Neo4j it says, too, which version it is, whether its indexes are ready, and how its clock differs. It warns where the settings
    choose an API that wants a key and there is none; the store is sound all the same.
    """
    from service.composition import store_location
    from service.setting_warnings import setting_warnings

    with reported():
        settings = settings_of(ConnectionOptions(data_dir=data_dir, config=config))
        ensure_stored(settings)
        servers = _servers(settings)
        found = asyncio.run(_check(settings, namespace))
    findings = [
        {"namespace": name, "problem": finding.problem, "node_id": finding.node_id, "detail": finding.detail}
        for name, those in found.items()
        for finding in those
    ]
    checked = [name for name in found if name != _WHOLE]
    if json:
        where = {"servers": servers} if servers else {"data_dir": str(settings.data_dir)}
        print_json({**where, "namespaces": checked, "findings": findings, "warnings": setting_warnings(settings)})
    else:
        for server in servers:
            typer.echo(_told(server))
        for told in setting_warnings(settings):
            typer.echo(f"structmem: {told}", err=True)
        _print(store_location(settings), len(checked), findings)
    if findings:
        raise typer.Exit(1)


def _servers(settings: "Settings") -> list[dict[str, object]]:
    """What each Neo4j says of itself; nothing of the embedded store."""
    if settings.store != "neo4j":
        return []
    from service.neo4j_store import neo4j_facts

    return [
        {
            "place": place,
            "version": facts.version,
            "edition": facts.edition,
            "writable": facts.writable,
            "indexes": facts.indexes,
            "unready_indexes": {name: f"{state} {percent:.0f} %" for name, (state, percent) in facts.unready.items()},
            "clock_ahead_ms": round(facts.ahead.total_seconds() * 1000, 1),
        }
        for place, facts in asyncio.run(neo4j_facts(settings))
    ]


def _told(server: dict[str, object]) -> str:
    unready = server["unready_indexes"]
    assert isinstance(unready, dict)
    indexes = f"{server['indexes']} indexes" + (f", not ready: {unready}" if unready else ", all ready")
    access = "" if server["writable"] else ", READ-ONLY"
    clock = f"clock {server['clock_ahead_ms']:+} ms of this machine's"
    return f"{server['place']}: Neo4j {server['version']} {server['edition']}{access}; {indexes}; {clock}"


async def _check(settings: "Settings", names: list[str] | None) -> "dict[str, list[Finding]]":
    """The findings by namespace; under `_WHOLE` those of none. What hinders one namespace's check hinders no other."""
    from graph.clock import SystemClock
    from graph.errors import NamespaceCorrupt, StructMemError
    from graph.store.port import Finding
    from service.composition import make_store

    store = make_store(settings, SystemClock())
    try:
        await store.open()
    except NamespaceCorrupt as error:  # without its catalog a directory has no namespaces to check
        return {_WHOLE: [Finding("CATALOG_DAMAGED", "", str(error))]}
    try:
        found = {} if names else {_WHOLE: await store.check()}
        for name in names if names else await _every_name(store):
            try:
                found[name] = await store.namespace(name).check()
            except StructMemError as error:
                found[name] = [Finding(error.reason, "", str(error))]
        return found
    finally:
        await store.close()


async def _every_name(store: "Store") -> list[str]:
    names: list[str] = []
    while page := await store.list_namespaces("", names[-1] if names else "", 500):
        names += [namespace.name for namespace in page]
    return names


def _print(directory: str, checked: int, findings: list[dict[str, str]]) -> None:
    if not findings:
        typer.echo(f"{directory}: {counted(checked, 'namespace')}, no findings.")
        return
    made = tables.table("namespace", "problem", "node", "what", wrap=("what",))
    for finding in findings:
        made.add_row(*(tables.plain(value) for value in finding.values()))
    made.show("")
    typer.echo(f"{directory}: {counted(checked, 'namespace')}, {counted(len(findings), 'finding')}.", err=True)
