import importlib.util
from pathlib import Path

import numpy as np
import pytest

from bench.__main__ import main
from bench.dataset import read_dataset
from bench.peers.chats import group_of
from bench.peers.synthetic import group_of_spool
from bench.report import Report
from bench.scale.conversations import Conversations, Plan
from bench.scale.degrees import Degrees
from bench.scale.vectors import DIMENSION
from bench.stores import StoreUnderTest
from extract.embed import HashingEmbedder
from tests.bench.test_scale_data import GENERATION
from tests.neo4j_databases import Database

INSTALLED = importlib.util.find_spec("graphiti_core") is not None


async def test_a_conversation_becomes_messages_and_facts_between_entities(chats_file: Path) -> None:
    conversation = read_dataset(chats_file).conversations[0]

    group = await group_of(conversation, HashingEmbedder())

    assert [message.id for message in group.messages] == ["g1", "g2", "g3", "g4", "g5"]
    assert group.messages[4].text == "Ines: Look at this! [image: a lemon tree in bloom]"
    (fact,) = group.facts
    assert (fact.between, fact.evidence) == (("Ines", "tree"), ("g1",))
    assert fact.said_at == group.messages[0].sent_at
    assert set(group.entities) == {"Ines", "tree"}
    assert np.linalg.norm(fact.vector) == pytest.approx(1, abs=1e-2)


def test_a_peer_gets_the_texts_and_vectors_that_we_import(tmp_path: Path) -> None:
    Conversations(Plan("bench/x", 200, 5, 2, GENERATION), Degrees()).spool(tmp_path / "spool")

    group = group_of_spool("bench/x", tmp_path / "spool")

    assert len(group.messages) == 200
    assert 150 < len(group.facts) <= 200
    ids = {message.id for message in group.messages}
    for fact in group.facts:
        assert ids.issuperset(fact.evidence)
        assert set(fact.between) <= set(group.entities)
        assert fact.vector.shape == (DIMENSION,)


def test_says_how_to_install_the_peer(chats_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    assert main(["peers", "--messages", "10"]) == 1
    assert "--group peers" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "--data, --messages or both"),
        (["--messages", "3", "--groups", "4"], "at least one for each of --groups"),
        (["--messages", "3", "--queries", "0"], "--queries: must be at least 1"),
    ],
)
def test_says_what_is_wrong_with_the_arguments(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["peers", *arguments]) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.skipif(not INSTALLED, reason="graphiti-core is in the dependency group `peers`")
@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
async def test_the_peer_finds_what_it_was_given_and_leaves_nothing_behind(chats_file: Path, neo4j: Database) -> None:
    from bench.peers.graphiti import Graphiti

    conversation = read_dataset(chats_file).conversations[0]
    embedder = HashingEmbedder()
    group = await group_of(conversation, embedder)
    indexes = neo4j.run("SHOW INDEXES YIELD name RETURN name ORDER BY name")
    store = StoreUnderTest("neo4j", neo4j.settings)

    async with Graphiti.connected(store.settings, embedder) as peer:
        with Report(as_json=True).step("loading", None) as step:
            await peer.load(group, step)
        places = await peer.search(conversation.id, "Who planted a lemon tree?", 10)
        assert await peer.search("another", "Who planted a lemon tree?", 10) == []

    assert places[0] == ("g1",)
    assert neo4j.run("MATCH (n:Entity|Episodic) RETURN count(n) AS left") == [{"left": 0}]
    assert neo4j.run("SHOW INDEXES YIELD name RETURN name ORDER BY name") == indexes
