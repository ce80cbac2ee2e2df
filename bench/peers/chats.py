"""A data set's conversations, and its recorded facts, as a peer is given them."""

import numpy as np

from bench.dataset import ChatMessage, Conversation
from bench.peers.graph import PeerFact, PeerGroup, PeerMessage, subject_of
from extract.embed import Embedder


async def group_of(conversation: Conversation, embedder: Embedder) -> PeerGroup:
    """The messages of a conversation and its recorded facts, with the vectors that the embedder gives facts and names."""
    sent_at = {message.id: message.sent_at for message in conversation.messages}
    between = [(fact.speaker, subject_of(fact.text, fact.speaker)) for fact in conversation.facts]
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
