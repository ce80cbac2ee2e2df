"""How many nodes and edges surround a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Degrees:
    """Means over a conversation, as the local extractor makes them from chats between two people.

    Attributes:
        messages_per_session: turns in a conversation.
        statements_per_message: facts and relations.
        relations: share of relations among statements.
        statements_per_event: how many statements an event binds.
        mentions_per_statement: entities that a statement names.
        mentions_per_message: entities that a message names.
        entities_per_message: how many entities there are at all; a few are named all the time, most once or twice.
        timed: share of events with a time span.
        edges_per_event: BEFORE and CAUSES edges.
        relates_per_relation: RELATES edges.
    """

    messages_per_session: float = 21.0
    statements_per_message: float = 0.9
    relations: float = 0.1
    statements_per_event: float = 1.5
    mentions_per_statement: float = 1.6
    mentions_per_message: float = 0.8
    entities_per_message: float = 0.25
    timed: float = 0.2
    edges_per_event: float = 0.6
    relates_per_relation: float = 0.5
