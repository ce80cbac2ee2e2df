"""What compression did: the step `compress`, and what prompts would be without it."""

import time
from collections.abc import Iterable, Mapping

from structmem.v1.inspection_service_pb2 import UsageEntry

from bench.economics.coverage import Run
from bench.report import BenchError
from extract.compress import Compressor
from graph.text.names import is_role_name
from service.errors import InvalidSettings
from service.settings import Settings

STEP = "compress"


def compressor_of(settings: Mapping[str, object]) -> Compressor | None:
    """The compressor of a service with these settings, loaded here; None for none. Raises BenchError where it cannot be."""
    # Imported only here: the openai package, which this loads, takes a second.
    from service.language_model import make_compressor

    chosen = {name: settings[name] for name in ("compressor", "compression_rate", "compressor_model") if name in settings}
    try:
        return make_compressor(Settings.model_validate(chosen))
    except (InvalidSettings, ValueError) as error:
        raise BenchError(str(error)) from None


def without_compression(settings: Mapping[str, object]) -> dict[str, object]:
    """The same settings without a compressor; where its model was to part topics, similarity alone does."""
    segmentation = settings.get("segmentation", "similarity")
    alone = "similarity" if segmentation == "attention+similarity" else segmentation
    return {**settings, "compressor": "none", "segmentation": alone}


async def compress_step(usage: Iterable[UsageEntry], runs: Iterable[Run], compressor: Compressor) -> dict[str, float]:
    """Calls and tokens as the service counts them: those of texts before as a prompt's, those left as a completion's.

    `cpu_ms`: CPU milliseconds that the same runs take to be compressed once more, in this process, where nothing else works
    meanwhile; a segment that was halved counts half by half, each with its context.
    """
    entries = [entry for entry in usage if entry.step == STEP]
    began = time.process_time()
    for run in runs:
        names = {message.speaker for message in run if not is_role_name(message.speaker)}
        await compressor.compress([message.text for message in run], names)
    return {
        "calls": sum(entry.calls for entry in entries),
        "prompt_tokens": sum(entry.prompt_tokens for entry in entries),
        "completion_tokens": sum(entry.completion_tokens for entry in entries),
        "cpu_ms": round(1_000 * (time.process_time() - began), 1),
    }
