"""Which language models answer and judge, from the flags: any OpenAI-compatible endpoint, or recorded exchanges."""

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.qa.model import Model
from bench.report import BenchError
from extract.endpoint import EndpointSettings
from extract.llm.chat import Chat
from extract.llm.endpoint import Endpoint
from extract.llm.exchanges import RecordingChat, ReplayedChat
from extract.llm.providers import PROVIDERS
from extract.llm.settings import LlmSettings
from graph.errors import InvalidArgument

# What LoCoMo and LongMemEval are answered and judged by in the tables of LightMem and StructMem.
DEFAULT_MODEL = "gpt-4o-mini"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One model. `role`: "answer" or "judge"; also the name of its file of exchanges."""

    role: str
    provider: str
    model: str
    base_url: str
    key_variable: str


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags that choose the models."""
    parser.add_argument("--provider", choices=PROVIDERS, default="openai", help="whose API answers (default: openai)")
    parser.add_argument("--base-url", default="", metavar="URL", help="of an OpenAI-compatible API (default: the provider's)")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help=f"the model that answers (default: {DEFAULT_MODEL})")
    parser.add_argument("--key-variable", default="", metavar="NAME", help="the environment variable of its key (default: the provider's)")
    parser.add_argument("--judge-provider", choices=PROVIDERS, help="whose API judges (default: the one that answers)")
    parser.add_argument("--judge-base-url", metavar="URL", help="(default: that of the answers, or the judge's provider's)")
    parser.add_argument("--judge-model", metavar="NAME", help="the model that judges (default: the one that answers)")
    parser.add_argument("--judge-key-variable", metavar="NAME", help="(default: that of the answers, or the judge's provider's)")
    parser.add_argument("--temperature", type=float, default=0.0, help="of answers and verdicts; -1: leave it to the model (default: 0)")
    parser.add_argument(
        "--reasoning", default="", metavar="EFFORT", help="none, minimal, low, medium or high (default: leave it to the model)"
    )
    parser.add_argument("--most-tokens", type=int, default=2_000, metavar="N", help="that an answer or a verdict may take (default: 2,000)")
    parser.add_argument("--timeout", type=float, default=120.0, metavar="S", help="seconds that one call may take (default: 120)")
    parser.add_argument("--concurrency", type=int, default=4, metavar="N", help="calls of each model at once (default: 4)")
    parser.add_argument("--record", type=Path, metavar="DIR", help="append every exchange with a model to files there")
    parser.add_argument("--replay", type=Path, metavar="DIR", help="answer from such files, without a network")


def choices(arguments: argparse.Namespace) -> tuple[ModelChoice, ModelChoice]:
    """The models that answer and judge.

    Raises:
        BenchError: the flags do not go together, or a key is wanted and there is none.
    """
    if arguments.record and arguments.replay:
        raise BenchError("--record: there is nothing to record while exchanges are replayed")
    for flag in ("concurrency", "most_tokens", "timeout"):
        if getattr(arguments, flag) <= 0:
            raise BenchError(f"--{flag.replace('_', '-')}: must be more than 0")
    answer = ModelChoice("answer", arguments.provider, arguments.model, arguments.base_url, arguments.key_variable)
    # What belongs to another provider's endpoint is not the judge's.
    other = arguments.judge_provider not in (None, arguments.provider)
    judge = ModelChoice(
        "judge",
        arguments.judge_provider or answer.provider,
        arguments.judge_model or answer.model,
        _or(arguments.judge_base_url, "" if other else answer.base_url),
        _or(arguments.judge_key_variable, "" if other else answer.key_variable),
    )
    if not arguments.replay:
        for choice in (answer, judge):
            _check(choice)
    return answer, judge


@asynccontextmanager
async def opened_model(choice: ModelChoice, arguments: argparse.Namespace) -> AsyncIterator[Model]:
    """The model, as long as the block runs. Raises BenchError when its file of exchanges cannot be used."""
    settings = LlmSettings(choice.provider, choice.model, output_tokens=arguments.most_tokens, reasoning=arguments.reasoning)
    model = Model(choice.role, _chat(choice, arguments), settings, arguments.concurrency)
    try:
        yield model
    finally:
        await model.aclose()


def service_settings(choice: ModelChoice, arguments: argparse.Namespace) -> dict[str, object]:
    """The settings of a service that asks the model that answers."""
    settings: dict[str, object] = {
        "llm_provider": choice.provider,
        "llm_model": choice.model,
        "llm_base_url": choice.base_url,
        "llm_key_variable": choice.key_variable,
        "llm_reasoning": arguments.reasoning,
        "llm_concurrency": arguments.concurrency,
        "llm_timeout_s": arguments.timeout,
    }
    for flag in ("record", "replay"):
        directory: Path | None = getattr(arguments, flag)
        if directory:
            settings[f"llm_{flag}"] = (directory / "service.jsonl").resolve()
    return settings


def _or(value: str | None, default: str) -> str:
    return default if value is None else value


def _check(choice: ModelChoice) -> None:
    flag = "" if choice.role == "answer" else "judge-"
    provider = PROVIDERS[choice.provider]
    if not choice.base_url and not provider.base_url:
        raise BenchError(f"--{flag}base-url: is required by the provider {choice.provider}")
    variable = choice.key_variable or provider.key_variable
    if (provider.needs_key or choice.key_variable) and not os.environ.get(variable):
        raise BenchError(f"the environment variable {variable} holds no key; --{flag}key-variable names another one")


def _chat(choice: ModelChoice, arguments: argparse.Namespace) -> Chat:
    directory: Path | None = arguments.replay or arguments.record
    if directory is None:
        return _endpoint(choice, arguments)
    path = directory / f"{choice.role}.jsonl"
    try:
        if arguments.replay:
            return ReplayedChat(path)
        directory.mkdir(parents=True, exist_ok=True)
        return RecordingChat(_endpoint(choice, arguments), path)
    except OSError as error:
        raise BenchError(f"cannot use {path}: {error.strerror}") from error
    except InvalidArgument as error:
        raise BenchError(f"{path}: {error}") from error


def _endpoint(choice: ModelChoice, arguments: argparse.Namespace) -> Endpoint:
    provider = PROVIDERS[choice.provider]
    options: dict[str, Any] = {name: value for name, value in provider.options.items() if name != "temperature"}
    if arguments.temperature >= 0:
        options["temperature"] = arguments.temperature
    key = os.environ.get(choice.key_variable or provider.key_variable, "") if choice.key_variable or provider.key_variable else ""
    settings = EndpointSettings(choice.base_url, key=key, concurrency=arguments.concurrency, timeout_s=arguments.timeout)
    return Endpoint(replace(provider, options=options), settings, arguments.reasoning)
