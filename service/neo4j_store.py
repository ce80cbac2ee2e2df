"""The store on Neo4j that the settings describe: one database, or several with a namespace map."""

from datetime import UTC, datetime

from graph.store.neo4j import Address, Neo4jStore, ServerFacts, holds_store, server_facts
from graph.store.partitioned import Partition, PartitionedStore
from graph.store.port import Store
from service.neo4j_databases import Neo4jDatabase, neo4j_databases
from service.settings import Settings


def make_neo4j_store(settings: Settings) -> Store:
    """The store; nothing is connected yet. Its clock is the server's, which all services on a database share. Raises InvalidSettings."""
    databases = neo4j_databases(settings)
    stores = [
        Neo4jStore(
            _address(database),
            search_in_process_passages=settings.neo4j_search_in_process_passages,
            # All databases' search indexes share the memory that the setting allows.
            index_memory_bytes=settings.index_memory_mb * 1024 * 1024 // len(databases),
        )
        for database in databases
    ]
    if len(stores) == 1:
        return stores[0]
    return PartitionedStore([Partition(one.location, store, one.prefixes) for one, store in zip(databases, stores, strict=True)])


async def is_stored_in_neo4j(settings: Settings) -> bool:
    """Whether the settings' database holds a store; nothing is made in it. Raises StoreUnavailable, InvalidSettings."""
    return await holds_store(_address(neo4j_databases(settings)[0]))


async def neo4j_facts(settings: Settings) -> list[tuple[str, ServerFacts]]:
    """What each database's server says of itself, with its place. Raises StoreUnavailable, InvalidSettings."""
    return [
        (database.location, await server_facts(_address(database), lambda: datetime.now(UTC))) for database in neo4j_databases(settings)
    ]


def _address(database: Neo4jDatabase) -> Address:
    user = database.user if database.password else ""
    return Address(database.uri, user, database.password, database.name, database.ca_file)
