"""Embedders: texts to unit-length vectors, off the event loop.

`minilm` is the default and ships with its model; `hashing` needs none; `remote` asks an API; `sentences` needs an extra. All are what
`port.Embedder` asks for. The last two are imported where they are chosen: what they need takes long to load.
"""

from extract.embed.hashing import HashingEmbedder
from extract.embed.minilm import MiniLmEmbedder, ModelDamaged
from extract.embed.port import Embedder

__all__ = ["Embedder", "HashingEmbedder", "MiniLmEmbedder", "ModelDamaged"]
