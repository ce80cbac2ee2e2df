"""Makes model.onnx anew from the fp32 weights: `python remake.py WEIGHTS_DIRECTORY OUTPUT.onnx`.

WEIGHTS_DIRECTORY holds config.json, tokenizer.json and model.safetensors of sentence-transformers/all-MiniLM-L6-v2. Needs torch,
transformers, onnx and onnxruntime. Other versions of these give other bytes, so a remade file needs its sum changed in
`extract/embed/minilm.py`.
"""

# mypy: ignore-errors
# torch and transformers are no dependencies of the project, so there is nothing to check this against.

import sys
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel


class LastHiddenState(torch.nn.Module):
    """The encoder with a plain tensor as its output."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        """The last hidden state, (batch, sequence, 384)."""
        output = self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return output.last_hidden_state


def main(weights: Path, output: Path) -> None:
    """Exports and quantises."""
    model = LastHiddenState(AutoModel.from_pretrained(weights, attn_implementation="eager").eval())
    example = torch.ones(2, 8, dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "batch", 1: "sequence"} for name in [*names, "last_hidden_state"]}
    with tempfile.TemporaryDirectory() as scratch:
        exported = Path(scratch) / "fp32.onnx"
        torch.onnx.export(
            model, (example, example, example), str(exported), input_names=names, output_names=["last_hidden_state"], dynamic_axes=axes,
            opset_version=17, dynamo=False,
        )  # fmt: skip
        quantize_dynamic(str(exported), str(output), weight_type=QuantType.QInt8, reduce_range=True, per_channel=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
