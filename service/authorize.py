"""Who calls and what they may touch: one principal for every call, and one function that decides.

Roles and policies will come in here: `authorize` is the only place that decides, whatever fills the principal.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from graph.errors import PermissionDenied


class Action(Enum):
    """What a call wants to do with a namespace."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights on every namespace that a pattern matches: `*` stands for any characters but "/", `**` for any at all."""

    pattern: str
    actions: frozenset[Action]


@dataclass(frozen=True, slots=True)
class Principal:
    """Someone who calls, with all that they were granted."""

    name: str
    grants: tuple[Grant, ...] = ()


NOBODY = Principal("")
LOCAL = Principal("local", (Grant("**", frozenset(Action)),))
"""Whoever reaches a service without tokens, which listens on loopback only."""


def may(principal: Principal, action: Action, namespace: str) -> bool:
    """Whether the principal was granted this action on the namespace."""
    return any(action in grant.actions and _matcher(grant.pattern).fullmatch(namespace) for grant in principal.grants)


def authorize(principal: Principal, action: Action, *namespaces: str) -> None:
    """Lets the call pass, or raises.

    It is asked before anything is looked up, so that a namespace that the caller may not touch answers as one that does not exist.

    Raises:
        PermissionDenied: for any of the namespaces.
    """
    for namespace in namespaces:
        if not may(principal, action, namespace):
            raise PermissionDenied(f"this principal may not {_VERBS[action]} that namespace", metadata={"action": action.value})


def authorize_everywhere(principal: Principal, *actions: Action) -> None:
    """Lets a call pass that reaches all namespaces at once: each action must be granted on "**", the pattern that stands for all.

    Raises:
        PermissionDenied: for any of the actions.
    """
    for action in actions:
        if not any(action in grant.actions and grant.pattern == "**" for grant in principal.grants):
            raise PermissionDenied(f"this principal may not {_VERBS[action]} all namespaces", metadata={"action": action.value})


_VERBS = {Action.READ: "read", Action.WRITE: "write to", Action.ADMIN: "administer"}


@lru_cache(maxsize=4096)
def _matcher(pattern: str) -> re.Pattern[str]:
    pieces = (".*" if piece == "**" else "[^/]*" if piece == "*" else re.escape(piece) for piece in re.split(r"(\*\*|\*)", pattern))
    return re.compile("".join(pieces), re.DOTALL)
