"""Models that torch runs, which extras of this distribution bring: loading those of sentence-transformers, and telling one from another."""

import hashlib
import importlib
from pathlib import Path
from typing import Any

# What decides which vectors a model gives: its weights, tokenizer and configuration. Copies of the weights in other formats do not.
_DECIDING = frozenset({".json", ".txt", ".model", ".safetensors", ".bin"})
_COPIES = ("onnx/*", "openvino/*", "*.onnx", "*.h5", "*.ot", "*.msgpack")
EXTRA = "sentence-transformers"


class ExtraMissing(Exception):
    """An extra is not installed."""

    def __init__(self, extra: str = EXTRA) -> None:
        super().__init__(f'needs an extra: pip install "structmem-server[{extra}]"')


class ModelMissing(Exception):
    """There is no such model here, or it cannot be loaded."""


def load(kind: str, name: str, threads: int, device: str) -> tuple[Any, Path]:
    """A model of a class of sentence-transformers, and where its files are.

    Args:
        name: a directory, or a name on the Hugging Face hub, from which it is fetched once.     threads: of torch, for the whole process.

    Raises:
        ExtraMissing, ModelMissing.
    """
    # Here, because they take seconds to import, and most services do without.
    try:
        importlib.import_module("torch").set_num_threads(threads)
        package = importlib.import_module("sentence_transformers")
    except ImportError:
        raise ExtraMissing from None
    directory = model_directory(name)
    try:
        return getattr(package, kind)(str(directory), device=device, trust_remote_code=False), directory
    except Exception as error:  # the package raises what its parts raise: whatever it is, there is no model
        raise ModelMissing(f"{name} cannot be loaded ({type(error).__name__})") from error


def files_hash(directory: Path) -> str:
    """SHA-256 over the names and contents of the files that decide what the model answers."""
    whole = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file() and path.suffix in _DECIDING):
        name = path.relative_to(directory)
        if name.parts[0] in {"onnx", "openvino"} or any(part.startswith(".") for part in name.parts):
            continue
        with path.open("rb") as file:
            whole.update(f"{name.as_posix()}\n{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def model_directory(name: str) -> Path:
    """Where a model's files are: a directory, or what a name on the hub is fetched into. Raises ModelMissing."""
    if Path(name).expanduser().is_dir():
        return Path(name).expanduser()
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, ignore_patterns=list(_COPIES)))
    except (OSError, ValueError) as error:  # no network, no such model, no name of a model
        raise ModelMissing(f"{name} is no directory and cannot be fetched ({type(error).__name__})") from None
