"""Creating, showing, changing and deleting namespaces."""

import secrets
import uuid
from dataclasses import replace
from typing import Any

from neo4j import AsyncTransaction

from graph.errors import AlreadyExists, NamespaceNotFound
from graph.model import Namespace, from_micros
from graph.store.neo4j.driver.database import Database, namespace_key
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.migrations import make_indexes
from graph.store.neo4j.rows.namespace_rows import NamespaceState, namespace_of, new_properties, settings_properties
from graph.store.neo4j.rows.search_tokens import namespace_token
from graph.store.neo4j.schema import vector_index_of
from graph.store.neo4j.sweeping import sweep_namespace
from graph.store.port import NamespaceChange, NamespaceSpec, Shows, everything
from graph.store.rules.namespaces import changed_namespace, new_namespace
from graph.store.signals import WORK

# The counter is locked, so that no two namespaces get one token; the second MATCH sees who else had the name.
_TOKEN = "MERGE (s:Store {id: 1}) SET s.next_token = coalesce(s.next_token, 0) + 1 RETURN s.next_token"
_CREATE = "CREATE (n:Namespace) SET n = $properties"
_NAMES = """MATCH (n:Namespace) WHERE n.name > $after AND n.state = $active
        AND ($prefix = '' OR n.name = $prefix OR n.name STARTS WITH $below)
    WITH n.name AS name ORDER BY name LIMIT $limit RETURN collect(name)"""
_NAMED = """UNWIND $names AS name MATCH (n:Namespace {name: name}) WHERE n.state = $active
    WITH n ORDER BY n.name RETURN collect(properties(n))"""
# Names are short, at most 200 characters; what else is recorded of a namespace may be a long profile.
_NAMES_AT_ONCE = 10_000
_CHANGE = "MATCH (n:Namespace {name: $namespace}) SET n += $at.settings"
_HIDE = "MATCH (n:Namespace {name: $namespace}) SET n.state = $at.deleting"


async def create(database: Database, spec: NamespaceSpec) -> Namespace:
    """See `Store.create_namespace`."""
    namespace = new_namespace(spec, uuid.uuid4().hex, from_micros(await database.now()))
    await reserve(database, namespace, NamespaceState.ACTIVE)
    return namespace


async def reserve(database: Database, namespace: Namespace, state: NamespaceState, **more: Any) -> str:
    """Makes the node of a namespace and the index that its vectors need; returns its token.

    Raises AlreadyExists. What a deletion or an import that broke off has left of the name is cleared away first.
    """
    if namespace.embedding.dimension:
        await make_indexes(database.connection, [vector_index_of(namespace.embedding.dimension)])
    await sweep_namespace(database, namespace.name)

    async def once() -> str:
        async with database.connection.session(write=True, namespace=namespace.name) as session, await session.begin_transaction() as tx:
            token = namespace_token(await _count(tx))
            [[found]] = await (await tx.run("OPTIONAL MATCH (n:Namespace {name: $name}) RETURN n.uid", {"name": namespace.name})).values()
            if found == namespace.uid:  # this very call made it, and did not learn that it did
                [[token]] = await (await tx.run("MATCH (n:Namespace {name: $name}) RETURN n.token", {"name": namespace.name})).values()
                return str(token)
            if found is not None:
                raise AlreadyExists(namespace.name)
            await (await tx.run(_CREATE, {"properties": new_properties(namespace, token, state) | more})).consume()
            await tx.commit()
            return token

    return await database.connection.patiently(once)


async def _count(tx: AsyncTransaction) -> int:
    [[number]] = await (await tx.run(_TOKEN)).values()
    return int(number)


async def listed(database: Database, prefix: str, after: str, limit: int, shows: Shows = everything) -> list[Namespace]:
    """See `Store.list_namespaces`."""
    values: dict[str, Any] = {"prefix": prefix, "below": prefix + "/", "active": NamespaceState.ACTIVE.value, "limit": _NAMES_AT_ONCE}
    found: list[Namespace] = []
    while len(found) < limit:
        [[names]] = await database.connection.rows(_NAMES, values | {"after": after})
        if not names:
            break
        shown = list(filter(shows, names))
        wanted = shown[: limit - len(found)]
        [[rows]] = await database.connection.rows(_NAMED, values | {"names": wanted}) if wanted else [[[]]]
        found += map(namespace_of, rows)
        after = wanted[-1] if len(wanted) < len(shown) else names[-1]
    return found


async def update(tx: Transaction, change: NamespaceChange) -> Namespace:
    """See `Memory.update`."""
    after = changed_namespace(tx.namespace, change)
    await tx.execute(_CHANGE, {"settings": settings_properties(after)})
    tx.step()
    return replace(after, revision=tx.revision)


async def delete(database: Database, name: str) -> None:
    """See `Store.delete_namespace`. From the first commit on nobody sees it; what it held goes in batches after that.

    When that breaks off, the rest goes when a store opens, or when somebody creates or deletes the name.
    """

    async def hide(tx: Transaction) -> None:
        await tx.execute(_HIDE, {"deleting": NamespaceState.DELETING.value})

    try:
        await database.write(name, hide)
    except NamespaceNotFound:
        if not await sweep_namespace(database, name):
            raise
        raise NamespaceNotFound(name) from None
    database.changed.notify(namespace_key(name), WORK)
    await sweep_namespace(database, name)


_SECRET = "MERGE (s:Store {id: 1}) ON CREATE SET s.secret = $secret SET s.secret = coalesce(s.secret, $secret) RETURN s.secret"
_PING = "MERGE (s:Store {id: 1}) SET s.pinged = $value"


async def secret(database: Database) -> bytes:
    """See `Store.secret`."""
    [[found]] = await database.connection.rows("OPTIONAL MATCH (s:Store {id: 1}) RETURN s.secret")
    if found is None:
        [[found]] = await database.connection.execute(_SECRET, {"secret": secrets.token_bytes(32)})
    return bytes(found)


async def ping(database: Database) -> None:
    """See `Store.ping`."""
    await database.connection.execute(_PING, {"value": secrets.token_hex(8)})
