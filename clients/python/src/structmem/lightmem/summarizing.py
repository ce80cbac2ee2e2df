"""What `summarize` returns, in LightMem's form."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from structmem._nodes import Summary
from structmem.lightmem.times import local


def of_all(summaries: Sequence[Summary], zone: ZoneInfo) -> dict[str, Any]:
    """With `process_all`: every summary of events, in order of time."""
    items = [_item(summary, zone) for summary in summaries]
    ranges = [item["time_range"] for item in items]
    return {
        "summaries": items,
        "total_summaries": len(items),
        "total_entries": sum(item["entry_count"] for item in items),
        "time_range": {"start": ranges[0]["start"], "end": ranges[-1]["end"]} if ranges else None,
    }


def of_last(summaries: Sequence[Summary], zone: ZoneInfo) -> dict[str, Any]:
    """Without it: the last one. Nothing is left over, so `has_more` is False; `total_summaries` says how many there are."""
    last = summaries[-1] if summaries else None
    return {
        "summary": last and last.text,
        "summary_id": last and last.id,
        "covered_entries": list(last.member_ids) if last else [],
        "seed_entries": [seed.event_id for seed in last.seeds] if last else [],
        "time_range": last and _range(last, zone),
        "has_more": False,
        "total_summaries": len(summaries),
    }


def _item(summary: Summary, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "summary": summary.text,
        "summary_id": summary.id,
        "time_range": _range(summary, zone),
        "entry_count": len(summary.member_ids),
        "seed_count": len(summary.seeds),
    }


def _range(summary: Summary, zone: ZoneInfo) -> dict[str, Any]:
    """From when to when what it tells of was said."""
    start, end = summary.said_from, summary.said_to
    return {"start": _shown(start, zone), "end": _shown(end, zone), "start_float": _seconds(start), "end_float": _seconds(end)}


def _shown(time: datetime | None, zone: ZoneInfo) -> str | None:
    return None if time is None else local(time, zone).isoformat(timespec="milliseconds")


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
