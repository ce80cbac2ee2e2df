"""A data set's conversations, and its recorded facts, as a peer is given them."""

import re

import numpy as np

from bench.dataset import ChatMessage, Conversation, RecordedFact
from bench.peers.graph import PeerFact, PeerGroup, PeerMessage
from extract.embed import Embedder
from graph.text.analyser import STOP_WORDS

_WORD = re.compile(r"\w[\w'-]*")


async def group_of(conversation: Conversation, embedder: Embedder) -> PeerGroup:
    """The messages of a conversation and its recorded facts, with the vectors that the embedder gives facts and names."""
    sent_at = {message.id: message.sent_at for message in conversation.messages}
    between = [_ends(fact) for fact in conversation.facts]
    names = list(dict.fromkeys(name for ends in between for name in ends))
    vectors = (await embedder.embed([fact.text for fact in conversation.facts])).astype(np.float32)
    facts = [
        PeerFact(fact.text, vector, ends, fact.evidence, max(sent_at[id_] for id_ in fact.evidence))
        for fact, vector, ends in zip(conversation.facts, vectors, between, strict=True)
    ]
    entities = dict(zip(names, (await embedder.embed(names)).astype(np.float32), strict=True))
    return PeerGroup(conversation.id, tuple(map(_message, conversation.messages)), tuple(facts), entities)


def _message(message: ChatMessage) -> PeerMessage:
    caption = f" [image: {message.image_caption}]" if message.image_caption else ""
    return PeerMessage(message.id, f"{message.speaker}: {message.text}{caption}", message.sent_at)


def _ends(fact: RecordedFact) -> tuple[str, str]:
    """From the speaker to the fact's last word that says something: recorded facts name no entities, and an edge needs two."""
    said = [word for word in _WORD.findall(fact.text) if word.lower() not in STOP_WORDS and word != fact.speaker]
    return fact.speaker, said[-1] if said else fact.speaker
