"""What the adapter makes of LightMem's configurations, messages and filters, before any service is asked."""

import copy
import json
import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structmem import MemoryFilter, UsageEntry
from structmem.lightmem import OPTIONS, LightMemConfigError, LightMemWarning, service_settings
from structmem.lightmem.configuration import read, warn_of
from structmem.lightmem.filters import REFUSED, memory_filter
from structmem.lightmem.messages import read_messages
from structmem.lightmem.statistics import token_statistics
from structmem.lightmem.times import instant, shown

LISBON, UTC_ZONE = ZoneInfo("Europe/Lisbon"), ZoneInfo("UTC")


def _nested(name: str, value: Any) -> dict[str, Any]:
    """A configuration in which one option is given."""
    for part in reversed(name.split(".")):
        value = {part: value}
    return dict(value)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"pre_compres": True}, "pre_compres: is no option of LightMem's that is known here; is pre_compress meant?"),
        (_nested("memory_manager.configs.modl", "x"), "memory_manager.configs.modl: is no option"),
        (_nested("logging.colour", True), "logging.colour: is no option"),
        ({"messages_use": "everyone"}, "messages_use: must be one of 'user_only', 'assistant_only', 'hybrid'; it is 'everyone'"),
        ({"pre_compress": "yes"}, "pre_compress: must be one of True, False, None; it is 'yes'"),
        ({"graph_mem": 1}, "graph_mem: must be one of True, False, None; it is 1"),
        ({"memory_manager": "openai"}, "memory_manager: must be a dictionary; it is a str"),
        (_nested("text_embedder.configs.model_kwargs", "cuda"), "text_embedder.configs.model_kwargs: must be a dictionary; it is a str"),
        (_nested("embedding_retriever.model_name", "faiss"), "embedding_retriever.model_name: must be one of 'qdrant'"),
        ([("pre_compress", True)], "config: must be a dictionary; it is a list"),
    ],
)
def test_what_lightmem_does_not_know_either_is_an_error_that_names_it(config: Any, named: str) -> None:
    with pytest.raises(LightMemConfigError) as refused:
        read(config)
    assert named in str(refused.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(LightMemConfigError) as refused:
        read({"a": 1, "update": "never", "logging": {"b": 2}})
    assert [name for name, _ in refused.value.problems] == ["a", "logging.b", "update"]


@pytest.mark.parametrize("name", [name for name in OPTIONS if "(" not in name])
def test_every_option_is_applied_or_told(name: str) -> None:
    """A value by which something else than usual is asked for: whatever the adapter does not do, the warning names with its reason."""
    option = OPTIONS[name]
    values = option.allowed or ({"x": 1},) if option.is_free else option.allowed or ("x", 7)
    asked = [value for value in values if value not in option.quiet]
    for value in asked:
        reading = read(_nested(name, value))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            warn_of(reading, stacklevel=1)
        if option.fate == "applied":
            assert not told
        else:
            assert [warning.category for warning in told] == [LightMemWarning]
            assert f"{name}: " in str(told[0].message)
            assert option.here in str(told[0].message)
        assert [note.option.name for note in reading.notes] == [name]


def test_a_group_that_is_not_given_says_nothing() -> None:
    assert read({"pre_compressor": None, "memory_manager": {}, "logging": None}).notes == ()


def test_keys_are_not_told_in_warnings() -> None:
    reading = read(_nested("memory_manager.configs.api_key", "sk-secret"))
    with pytest.warns(LightMemWarning) as told:
        warn_of(reading, stacklevel=1)
    assert "llm_api_key" in str(told[0].message)
    assert "sk-secret" not in str(told[0].message)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pre_compressor.configs.compress_config.rate", "half"),
        ("topic_segmenter.configs.buffer_len", 3),
        ("memory_manager.configs.max_tokens", True),
        ("memory_manager.configs.reasoning_effort", "some"),
        ("logging.level", "LOUD"),
    ],
)
def test_a_value_that_no_setting_can_have_is_refused(name: str, value: Any) -> None:
    config: dict[str, Any] = {"pre_compress": True} | _nested(name, value)
    with pytest.raises(LightMemConfigError) as refused:
        service_settings(config)
    assert refused.value.problems[0][0] == name


def test_settings_are_printed_as_toml(tmp_path: Path) -> None:
    import tomllib

    config = _nested("memory_manager.configs.model", 'a "model" 🙂') | {"messages_use": "hybrid"}
    file = tmp_path / "lightmem.json"
    file.write_text(json.dumps(config), "utf-8")
    command = [sys.executable, "-m", "structmem.lightmem"]
    done = subprocess.run([*command, str(file)], capture_output=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert tomllib.loads(done.stdout) == service_settings(config)
    for content, why in (("{", "is not JSON"), ('{"x": 1}', "x: is no option")):
        file.write_text(content)
        done = subprocess.run([*command, str(file)], capture_output=True, check=False, encoding="utf-8")
        assert (done.returncode, done.stdout) == (1, "")
        assert why in done.stderr


# Messages


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2023/05/20 (Sat) 00:44", datetime(2023, 5, 19, 23, 44, tzinfo=UTC)),
        ("2023-5-20 (Saturday) 7:04:09", datetime(2023, 5, 20, 6, 4, 9, tzinfo=UTC)),
        ("2025-01-10", datetime(2025, 1, 10, tzinfo=UTC)),
        ("2025-01-10T09:30:00.250", datetime(2025, 1, 10, 9, 30, 0, 250_000, tzinfo=UTC)),
        ("2025-01-10 09:30:00+02:00", datetime(2025, 1, 10, 7, 30, tzinfo=UTC)),
    ],
)
def test_times_as_lightmem_writes_them(stamp: str, expected: datetime) -> None:
    assert instant(stamp, LISBON) == expected


@pytest.mark.parametrize("stamp", [None, "", 17, "yesterday", "2023/13/40 (Sat) 00:44", "20 May 2023"])
def test_other_times_are_refused_by_name(stamp: Any) -> None:
    with pytest.raises(ValueError, match=r"messages\[1\]\.time_stamp: "):
        read_messages([_said("a"), {**_said("b"), "time_stamp": stamp}], None, UTC_ZONE)


def test_times_are_shown_as_lightmem_shows_them() -> None:
    assert shown(datetime(2023, 5, 19, 23, 44, tzinfo=UTC), LISBON) == "2023-05-20T00:44:00.000 Sat"


def _said(content: str, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, "time_stamp": "2023-05-20T00:44:00", **more}


def test_messages_keep_who_spoke_and_what_else_was_given() -> None:
    given = [
        _said("Hi!", speaker_id="speaker_a", speaker_name="Caroline", external_id="D1:1", channel="mail", turn=3, seen=True),
        _said(" ", role="assistant", speaker_name="Caroline"),
        _said("Hello.", role="assistant", time_stamp="2023-05-21"),
    ]
    before = copy.deepcopy(given)
    read_ = read_messages(given, ["home", "work"], UTC_ZONE)
    assert given == before, "the caller's messages are left alone"
    assert read_.blank_count == 1
    (first_day, (first,)), (second_day, (second,)) = read_.parts
    assert (first_day, second_day) == ("2023-05-20", "2023-05-21")
    assert (first.speaker, first.role, first.client_id) == ("Caroline", "user", "D1:1")
    expected = {"tag:home": "", "tag:work": "", "speaker_id": "speaker_a", "channel": "mail", "turn": "3", "seen": "true"}
    assert first.labels == expected
    assert (second.speaker, second.role) == ("assistant", "assistant")
    assert second.labels == {"tag:home": "", "tag:work": ""}


def test_many_messages_go_in_parts_and_in_their_order() -> None:
    given = [_said(str(number)) for number in range(2_500)]
    parts = read_messages(given, None, UTC_ZONE).parts
    assert [len(part) for _, part in parts] == [1000, 1000, 500]
    assert [message.text for _, part in parts for message in part] == [str(number) for number in range(2_500)]


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ("hello", "messages: must be a dictionary or a list"),
        ([_said("a"), "b"], r"messages\[1\]: must be a dictionary"),
        ([_said("a", role="villain")], r"messages\[0\]\.role: must be one of user, assistant"),
        ([{"content": ["a"], "time_stamp": "2023-05-20"}], r"messages\[0\]\.content: must be a text"),
        ([_said("a", picture={"url": "x"})], r"messages\[0\]\.picture: becomes a label"),
    ],
)
def test_what_is_no_message_is_refused_by_name(messages: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_messages(messages, None, UTC_ZONE)


# Filters


def test_filters_become_the_services() -> None:
    at = datetime(2023, 5, 20, tzinfo=UTC)
    chosen = memory_filter(
        {"speaker_name": "Tom", "speaker_id": "b", "float_time_stamp": {"gte": at.timestamp(), "lt": at.timestamp() + 60}},
        None,
        False,
        UTC_ZONE,
    )
    assert isinstance(chosen, MemoryFilter)
    assert chosen.speakers == ["Tom"]
    assert chosen.said is not None
    assert (chosen.said.start, chosen.said.end) == (at, at + timedelta(minutes=1))
    assert chosen.labels is not None
    assert [(condition.key, condition.values) for condition in chosen.labels.all_of] == [("speaker_id", ["b"])]
    assert memory_filter({}, None, False, UTC_ZONE) is None
    assert memory_filter(None, None, True, UTC_ZONE) is None


def test_both_bounds_of_a_time_count_and_lte_includes_its_end() -> None:
    chosen = memory_filter(
        {"time_stamp": {"lte": "2023-05-20"}, "float_time_stamp": {"gt": datetime(2023, 5, 1, tzinfo=UTC).timestamp()}},
        None,
        False,
        UTC_ZONE,
    )
    assert chosen is not None
    assert chosen.said is not None
    assert chosen.said.start == datetime(2023, 5, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert chosen.said.end == datetime(2023, 5, 20, 0, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("key", sorted(REFUSED))
def test_fields_that_nothing_here_has_are_refused_with_the_reason(key: str) -> None:
    with pytest.raises(ValueError, match="cannot be asked for") as refused:
        memory_filter({key: "x"}, None, False, UTC_ZONE)
    assert REFUSED[key] in str(refused.value)


@pytest.mark.parametrize(
    ("filters", "why"),
    [
        ({"channel": ["mail"]}, "must be a text, a number or a bool"),
        ({"time_stamp": {"after": "2023"}}, "a range has gt, gte, lt, lte"),
        ({"time_stamp": "soon"}, "must be a time"),
        (["channel"], "filters: must be a dictionary"),
    ],
)
def test_other_filters_are_refused(filters: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        memory_filter(filters, None, False, UTC_ZONE)


def test_statistics_count_models_by_lightmems_steps() -> None:
    usage = [
        UsageEntry("extract", "gpt", 3, 9, 300, 30, 0),
        UsageEntry("repair", "gpt", 1, 1, 50, 5, 0),
        UsageEntry("extract", "local", 7, 70, 0, 0, 0),
        UsageEntry("embed", "minilm", 2, 40, 0, 0, 0),
    ]
    statistics = token_statistics(usage)
    assert statistics["llm"]["add_memory"] == {"calls": 4, "prompt_tokens": 350, "completion_tokens": 35, "total_tokens": 385}
    assert statistics["llm"]["update"]["calls"] == 0
    assert statistics["summary"]["total_llm_tokens"] == 385
    assert statistics["embedding"]["total_calls"] == 2
