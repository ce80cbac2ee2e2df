"""Read-only Cypher of administrators on the database itself: the rules on what may run, and running it."""
