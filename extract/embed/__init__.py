"""Embedders: texts to unit-length vectors, off the event loop.

`minilm` is the default and ships with its model; `hashing` needs none. Both are what `port.Embedder` asks for.
"""

from extract.embed.hashing import HashingEmbedder
from extract.embed.minilm import MiniLmEmbedder, ModelDamaged
from extract.embed.port import Embedder

__all__ = ["Embedder", "HashingEmbedder", "MiniLmEmbedder", "ModelDamaged"]
