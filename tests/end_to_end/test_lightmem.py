"""LightMem's calls against a real server."""

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structmem import Client, ExtractionMode, LabelCondition, LabelFilter, MemoryFilter, UnavailableError
from structmem.lightmem import LightMemConfigError, LightMemory, LightMemWarning

EVENT = {"extraction_mode": "event", "messages_use": "hybrid"}


def _config(collection: str, **more: Any) -> dict[str, Any]:
    return {"embedding_retriever": {"configs": {"collection_name": collection}}, **EVENT, **more}


def _said(content: str, day: str = "2024-03-05", **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, "time_stamp": f"{day}T18:00:00", "speaker_name": "Maria", **more}


@pytest.fixture
def client(beside_a_server: Any) -> Any:
    _, server = beside_a_server
    with Client(server.address) as client:
        yield client


def test_the_calls_of_lightmems_readme(client: Client) -> None:
    memory = LightMemory.from_config(_config("readme"), client=client, time_zone="Europe/Lisbon")
    turn = [
        {"role": "user", "content": "My dog's name is Rex. I moved to Lisbon last Friday.", "time_stamp": "2024/03/05 (Tue) 18:00"},
        {"role": "assistant", "content": "Hello Rex!", "time_stamp": "2024/03/05 (Tue) 18:00"},
    ]
    added = memory.add_memory(messages=turn, force_segment=True, force_extract=True)
    assert (len(added["message_ids"]), added["sessions"], added["extracted"]) == (2, ["2024-03-05"], True)
    with pytest.raises(KeyError, match="llm_record"):
        added["add_output_prompt"]

    counts = memory.construct_update_queue_all_entries()
    assert counts["messages"] == 2
    assert counts["facts"] >= 1
    assert counts["pending_vectors"] == 0
    with pytest.warns(LightMemWarning, match=r"offline_update_all_entries: without effect here: score_threshold: nothing is rewritten"):
        assert memory.offline_update_all_entries(score_threshold=0.8) == counts

    found = memory.retrieve("What is the name of my dog?", limit=5)
    assert found[0] == "2024-03-05T18:00:00.000 Tue The user's dog's name is Rex."
    moved = next(event for event in client.list_events("readme") if "Lisbon" in event.title)
    assert moved.time is not None
    assert moved.time.expression == "last Friday"
    assert memory.get_token_statistics()["summary"]["total_llm_calls"] == 0, "rules extracted, no model was called"


def test_summaries_tell_of_windows_of_events(client: Client) -> None:
    memory = LightMemory.from_config(_config("summed"), client=client)
    memory.add_memory([_said("My sister Ines lives in Porto."), _said("I moved to Lisbon last Friday.", "2024-04-05")])
    first = memory.summarize(process_all=True, time_window=3600, top_k_seeds=15)
    assert (first["total_summaries"], len(first["summaries"])) == (2, 2)
    assert first["total_entries"] == sum(item["entry_count"] for item in first["summaries"]) >= 2
    assert first["time_range"] == {"start": "2024-03-05T18:00:00.000", "end": "2024-04-05T18:00:00.000"}
    assert "Porto" in first["summaries"][0]["summary"]
    assert first["summaries"][0]["time_range"]["start_float"] == datetime(2024, 3, 5, 18, tzinfo=UTC).timestamp()

    assert memory.summarize(process_all=True) == first, "what stands is told again and not written again"
    memory.add_memory(_said("I bought a cello in Braga.", "2024-05-05"))
    second = memory.summarize()
    assert "cello" in second["summary"]
    assert (second["total_summaries"], second["has_more"]) == (3, False)
    tree = client.get_summary("summed", second["summary_id"], depth=1)
    assert [node.id for node in tree.nodes(second["covered_entries"])] == second["covered_entries"]
    assert memory.offline_update_all_entries()["summaries"] >= 3
    with pytest.warns(
        LightMemWarning, match=r"summarize: without effect here: time_window: .*consolidation_window.*; top_k_seeds: fifteen"
    ):
        memory.summarize(time_window=60, top_k_seeds=5, retrieval_scope="historical")


@pytest.mark.neo4j
@pytest.mark.timeout(600)
def test_on_neo4j_the_same_is_found_and_summarized(neo4j: Any, new_shell: Any, serving: Callable[[Any], Any], tmp_path: Path) -> None:
    shell = new_shell(tmp_path)
    shell.environment |= {f"STRUCTMEM_{key.upper()}": str(value) for key, value in neo4j.settings.items()}
    with serving(shell) as server, Client(server.address) as client:
        memory = LightMemory.from_config(_config("graph"), client=client)
        memory.add_memory([_said("My sister Ines lives in Porto."), _said("I bought a cello.", "2024-04-05")], force_extract=True)
        assert "2024-04-05T18:00:00.000 Fri Maria: I bought a cello." in memory.retrieve("cello")
        assert memory.retrieve("anything", filters={"time_stamp": {"lt": "2024-04-01"}, "speaker_name": "Tom"}) == []
        assert memory.summarize(process_all=True)["total_summaries"] == 2
        assert memory.offline_update_all_entries()["summaries"] >= 2


def test_without_events_there_is_nothing_to_summarize(client: Client) -> None:
    memory = LightMemory.from_config(_config("unsummed"), client=client)
    assert memory.summarize(process_all=True) == {"summaries": [], "total_summaries": 0, "total_entries": 0, "time_range": None}
    nothing = memory.summarize()
    assert (nothing["summary"], nothing["covered_entries"], nothing["time_range"], nothing["has_more"]) == (None, [], None, False)


def test_what_was_just_added_is_found_before_anything_is_extracted(client: Client) -> None:
    memory = LightMemory.from_config(_config("at-once"), client=client)
    memory.add_memory(_said("The boiler needs a new valve."))
    assert memory.retrieve("boiler valve", limit=1) == ["2024-03-05T18:00:00.000 Tue Maria: The boiler needs a new valve."]


def test_an_event_of_a_day_is_a_session_and_an_external_id_is_stored_once(client: Client) -> None:
    memory = LightMemory.from_config(_config("days"), client=client)
    day = [
        _said("We met Tom.", external_id="1"),
        _said("Tom paints.", "2024-03-06", external_id="2"),
        _said("", "2024-03-06", role="assistant"),
    ]
    first, again = memory.add_memory(day), memory.add_memory(day)
    assert [session.name for session in client.list_sessions("days")] == ["2024-03-05", "2024-03-06"]
    assert (first["duplicate_count"], first["blank_count"]) == (0, 1)
    assert (again["duplicate_count"], again["message_ids"]) == (2, first["message_ids"])


def test_nothing_is_extracted_where_lightmem_keeps_the_text_alone(client: Client) -> None:
    memory = LightMemory.from_config(_config("plain", text_summary=False), client=client)
    assert client.get_namespace("plain").extraction_mode is ExtractionMode.OFF
    memory.add_memory(_said("My sister Ines lives in Porto."), force_extract=True)
    assert memory.construct_update_queue_all_entries()["facts"] == 0
    assert len(memory.retrieve("Where does Ines live?")) == 1


def test_filters_and_tags_choose(client: Client) -> None:
    memory = LightMemory.from_config(_config("chosen"), client=client)
    memory.add_memory([_said("The red house."), _said("The blue house.", "2024-04-05", speaker_name="Tom", channel="mail")])
    memory.add_memory(_said("The green house.", "2024-05-05"), boundmem_tags="home")

    def colours(**given: Any) -> set[str]:
        return {line.split()[-2] for line in memory.retrieve("house", **given)}

    assert colours() == {"red", "blue", "green"}
    assert colours(filters={"speaker_name": "Tom"}) == {"blue"}
    assert colours(filters={"channel": "mail"}) == {"blue"}
    assert colours(filters={"time_stamp": {"gte": "2024-04-01", "lt": "2024-05-05T18:00:00"}}) == {"blue"}
    assert colours(filters={"time_stamp": {"gte": "2024-04-01", "lte": "2024-05-05T18:00:00"}}) == {"blue", "green"}
    assert colours(boundmem_tags=["home", "away"]) == {"red", "blue", "green"}
    assert colours(boundmem_tags=["home", "away"], boundmem_drop_untagged=True) == {"green"}
    assert colours(boundmem_tags="away", boundmem_drop_untagged=True) == set()
    with pytest.raises(ValueError, match="topic_id"):
        memory.retrieve("house", filters={"topic_id": 3})
    tagged = client.retrieve("house", "chosen", filter=MemoryFilter(labels=LabelFilter(all_of=[LabelCondition("tag:home")])))
    assert len(tagged) == 1


def test_a_namespace_that_extracts_otherwise_is_left_alone(client: Client) -> None:
    LightMemory.from_config(_config("held"), client=client)
    with pytest.raises(LightMemConfigError, match=r"extraction_mode: asks for flat, but the namespace 'held' is there and extracts event"):
        LightMemory.from_config(_config("held", extraction_mode="flat"), client=client)
    assert client.get_namespace("held").extraction_mode is ExtractionMode.EVENT
    LightMemory.from_config(_config("held", extraction_mode="flat"), client=client, namespace="another")
    assert client.get_namespace("another").extraction_mode is ExtractionMode.FLAT


def test_what_is_not_taken_over_is_told_and_where_things_are_now(client: Client) -> None:
    with pytest.warns(LightMemWarning) as told:
        memory = LightMemory.from_config(_config("told", extract_threshold=0.1, kv_cache=True), client=client)
    (warning,) = told
    assert warning.filename == __file__
    assert "extract_threshold: not applicable: nothing is dropped for its importance" in str(warning.message)
    assert "kv_cache: not applicable" in str(warning.message)
    assert {note.option.name for note in memory.notes if note.is_open} == {"extract_threshold", "kv_cache"}
    with pytest.warns(LightMemWarning, match=r"METADATA_GENERATE_PROMPT: prompts are the service's"):
        memory.add_memory(_said("Hello there."), "Extract everything!")
    with pytest.raises(AttributeError, match="memories are the service's"):
        memory.embedding_retriever.get_all()
    with pytest.raises(AttributeError, match=r"LightMemory has no nonsense here$"):
        _ = memory.nonsense


def test_a_part_that_fails_says_what_is_stored(client: Client) -> None:
    memory = LightMemory.from_config(_config("partly"), client=client)
    with pytest.raises(Exception, match="speaker") as failed:
        memory.add_memory([_said("First."), _said("Second.", "2024-03-06", speaker_name="x" * 500)])
    assert failed.value.__notes__ == ["1 of the messages before this part are stored"]
    assert [message.text for message in client.list_messages("partly")] == ["First."]


def test_without_a_client_it_asks_the_service_of_the_environment(beside_a_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, server = beside_a_server
    monkeypatch.setenv("STRUCTMEM_TARGET", server.address)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with LightMemory.from_config(_config("by-environment")) as memory:
            memory.add_memory(_said("It rains."))
            assert memory.retrieve("rain")
    monkeypatch.setenv("STRUCTMEM_TARGET", "127.0.0.1:1")
    with pytest.raises(UnavailableError):
        LightMemory.from_config(_config("nowhere"))
