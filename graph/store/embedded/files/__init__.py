"""The files of a data directory: the catalog, one file a namespace, their schema, locks, threads and transactions."""
