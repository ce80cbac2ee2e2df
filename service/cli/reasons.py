"""Why a memory is not in an answer, in sentences."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structmem import ChannelShortfall, Miss, Rival

_SIGNALS = 4


def reason_in_short(miss: "Miss", id_: str) -> str:
    """What kept the memory with this id out, in a few words."""
    hit, kept_out = miss.hit, miss.reason.value
    match kept_out:
        case "in_answer":
            return f"it is in the answer, at rank {hit.rank}" if hit else "it is in the answer"
        case "not_found":
            return f"there is no memory {id_}: it never was, or it was deleted"
        case "not_a_memory":
            if id_.startswith("sum_"):
                return f"it is a summary ({id_}), and no hit; `search --summaries 10` shows those that fit the query beside the hits"
            return f"it is no message, fact or relation ({id_}); nothing else is a hit"
        case "retired":
            return "it is no longer believed: another extraction took the place of the one that made it"
        case "filtered":
            return f"the filter keeps it out: {', '.join(miss.filtered_by)}"
        case "not_a_candidate":
            return "no channel found it"
        case "no_signal":
            return "nothing speaks for it"
        case "below_min_relevance":
            return f"its relevance is only {hit.relevance:.2f}" if hit else "it is not relevant enough"
        case "stood_for":
            return f"better memories stand for it: {', '.join(f'rank {rival.hit.rank}' for rival in miss.stood_for_by)}"
        case "outscored":
            return f"others scored more: it would be at rank {hit.rank}" if hit and hit.rank else "others scored more"
        case _:
            return f"for a reason that this version does not know ({kept_out})"


def channel_in_short(channel: "ChannelShortfall") -> str:
    """What the memory reached in a channel."""
    told = f"{channel.channel}: {channel.score:.3f}, {f'rank {channel.rank:,}' if channel.rank else 'no rank'}"
    short = channel.needed is not None and channel.needed > channel.score
    return f"{told}; the last one found has {channel.needed:.3f}" if short else told


def rival_in_short(rival: "Rival") -> str:
    """By what a hit is ahead, or behind."""
    parts = rival.differences[:_SIGNALS]
    return ", ".join(f"{part.rival_points - part.points:+.3f} {part.signal}" for part in parts) or "the same score"
