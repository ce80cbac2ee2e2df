"""What everything on Neo4j stands on: the driver's sessions, writes as transactions that hold their namespace, faults, the change log."""
