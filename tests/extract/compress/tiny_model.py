"""A LLMLingua-2 model that is built here, tiny and random: what is asked of it and what is made of it are real."""

from pathlib import Path
from typing import Any

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'-", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789")]
WORDS = ["the", "a", "and", "to", "was", "of", "in", "it", "that", "with", "we", "they", "would", "boat", "garden", "hedgehog", "moved"]
WORDS += ["bought", "house", "red", "anni", "##vers", "##ary"]
VOCABULARY = [*SPECIAL, *LETTERS, *WORDS]


def build(directory: Path, labels: int = 2, positions: int = 64) -> Path:
    """Writes a random BERT of 16 dimensions that says of each token whether it stays, and its tokenizer."""
    import torch
    from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

    torch.manual_seed(7)
    config: Any = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
        num_labels=labels,
        max_position_embeddings=positions,
    )
    BertForTokenClassification(config).save_pretrained(directory)
    BertTokenizerFast(vocab={word: i for i, word in enumerate(VOCABULARY)}).save_pretrained(directory)
    return directory
