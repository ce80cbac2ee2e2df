"""How many nodes and edges surround a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Degrees:
    """Means as the local extractor makes them from long chats between two people (1,451 messages of three such chats were counted).

    Attributes:
        messages_per_session: turns in a conversation.
        statements_per_message: facts and relations.
        relations: share of relations among the statements of a message that names somebody.
        statements_per_event: how many statements an event binds.
        addressed: share of messages that name the other speaker; the speakers are the hubs of such a graph.
        names_per_message: how many others a message names; its statements name them too, beside the speaker.
        entities_per_message: how many entities there are at all; a few are named all the time, most once or twice.
        timed: share of events with a time span.
        causes_per_event: CAUSES edges.
        relates_per_relation: RELATES edges.
    """

    messages_per_session: float = 21.0
    statements_per_message: float = 1.2
    relations: float = 0.15
    statements_per_event: float = 1.3
    addressed: float = 0.55
    names_per_message: float = 0.1
    entities_per_message: float = 0.05
    timed: float = 0.1
    causes_per_event: float = 0.02
    relates_per_relation: float = 0.1
