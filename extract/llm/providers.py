"""Providers of language models as data: one row says all that tells one OpenAI-compatible service from another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


class Output(Enum):
    """How an answer's form is asked for, the strictest first. What a server refuses is followed by the next."""

    SCHEMA = "json_schema"
    JSON = "json_object"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Provider:
    """One service.

    Attributes:
        name: what settings call it.
        base_url: where its API is; empty where the settings must say so.
        key_variable: the environment variable of its key by convention; empty where none is usual.
        needs_key: whether it refuses calls without one.
        output: the strictest form that it knows.
        token_parameter: what it calls the limit of an answer's tokens.
        reasoning: by effort ("none", "low", ...), what a request says to ask for it; "" is what is said when no effort is named.
        options: what every request says besides.
    """

    name: str
    base_url: str = ""
    key_variable: str = ""
    needs_key: bool = False
    output: Output = Output.SCHEMA
    token_parameter: str = "max_tokens"
    reasoning: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NOTHING)
    options: Mapping[str, Any] = field(default_factory=dict)

    def reasoning_options(self, effort: str) -> Mapping[str, Any]:
        """What a request says to ask for this effort; nothing where the provider has no word for it."""
        return self.reasoning.get(effort, {})


def _efforts(*names: str) -> dict[str, Mapping[str, Any]]:
    return {name: {"reasoning_effort": name} for name in names}


_DEEPSEEK_REASONING: dict[str, Mapping[str, Any]] = {
    # It thinks unless told not to; extraction gains little from it and pays for every token.
    effort: {"thinking": {"type": "disabled"}}
    for effort in ("", "none")
} | {effort: {"thinking": {"type": "enabled"}, "reasoning_effort": effort} for effort in ("low", "medium", "high")}

PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            Provider(
                "openai",
                base_url="https://api.openai.com/v1",
                key_variable="OPENAI_API_KEY",
                needs_key=True,
                token_parameter="max_completion_tokens",
                reasoning=_efforts("none", "minimal", "low", "medium", "high"),
            ),
            Provider(
                "deepseek",
                base_url="https://api.deepseek.com/v1",
                key_variable="DEEPSEEK_API_KEY",
                needs_key=True,
                output=Output.JSON,
                reasoning=_DEEPSEEK_REASONING,
                options={"temperature": 0},
            ),
            Provider(
                "ollama",
                base_url="http://localhost:11434/v1",
                key_variable="OLLAMA_API_KEY",
                reasoning=_efforts("none", "low", "medium", "high"),
                options={"temperature": 0},
            ),
            Provider(
                "vllm",
                base_url="http://localhost:8000/v1",
                key_variable="VLLM_API_KEY",
                reasoning={"none": {"chat_template_kwargs": {"enable_thinking": False}}, **_efforts("low", "medium", "high")},
                options={"temperature": 0},
            ),
            Provider("custom", reasoning=_efforts("none", "minimal", "low", "medium", "high")),
        )
    }
)
