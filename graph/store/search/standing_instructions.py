"""The channel of standing instructions: what a person asked an assistant to do from now on, nearest to the query first."""

import numpy as np
from numpy.typing import NDArray

from graph.model import Role
from graph.store.search.dense import nearest_memories
from graph.store.search.filtering import passages_of
from graph.store.search.similarity import Similarities
from graph.store.search.state import IndexState
from graph.text.features import Feature

_INSTRUCTION, _USER = int(Feature.INSTRUCTION), int(Role.USER)


def standing_instructions(
    state: IndexState, query: NDArray[np.float32], limit: int, mask: NDArray[np.bool_] | None, similarities: Similarities
) -> NDArray[np.intp]:
    """Rows of the `limit` standing instructions of people nearest to the query, among the memories that pass (all live ones: None)."""
    memories = state.memories
    if limit <= 0:
        return np.empty(0, np.intp)
    instructions = (memories.features & _INSTRUCTION) != 0
    instructions &= memories.role == _USER
    instructions &= memories.live if mask is None else mask
    if not instructions.any():
        return np.empty(0, np.intp)
    return nearest_memories(state, query, limit, passages_of(state, instructions), similarities)
