"""How pools are declared, what each gets room for, and what is remembered of them."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import write
from headshots.errors import InvalidArgumentError
from headshots.schema import pools as table
from services.gateway.peers.models import GeneratorDescription
from services.gateway.peers.pools import rows
from services.gateway.peers.pools.declared import DeclaredPool, declared_pools
from services.gateway.peers.pools.openness import openness
from services.gateway.settings import GatewaySettings

MAIN = DeclaredPool("main", "trainer:50052", "generator:50053")
FIRST, SECOND, THIRD = "aa" * 32, "bb" * 32, "cc" * 32
DESCRIPTION = GeneratorDescription(FIRST, 16, "{subject}", "sks", 8, 8, "tiny", (8, 64), class_nouns=("man", "woman"))


def test_pools_are_declared_by_name_with_their_trainers_and_generators() -> None:
    found = declared_pools(MAIN, " v2=t2:1,g2:2\n xl=dns:///t3:1,[::1]:2 ")
    assert found == (MAIN, DeclaredPool("v2", "t2:1", "g2:2"), DeclaredPool("xl", "dns:///t3:1", "[::1]:2"))
    assert declared_pools(MAIN, "") == (MAIN,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("v2", "write NAME=TRAINERS,GENERATORS"),
        ("v2=t2:1", "write NAME=TRAINERS,GENERATORS"),
        ("v2=t2:1,", "write NAME=TRAINERS,GENERATORS"),
        ("v2=t2:1,g2:2,g3:3", "write NAME=TRAINERS,GENERATORS"),
        ("v2=t2:1,g2:2;v3=t3:1,g3:2", "write NAME=TRAINERS,GENERATORS"),
        ("V2=t2:1,g2:2", "is no name"),
        *((f"v2={each},g2:2", "is no host:port") for each in ("t2", ":1", "t2:", "t2:x", "t2:0", "t2:65536")),
        *((f"v2=t2:1,{each}", "is no host:port") for each in ("http://g2:2", "unix:/g2", "[g2]:2", "g2\x1b:2")),
        ("main=t2:1,g2:2", "the name main is there twice"),
        ("v2=t2:1,g2:2 v2=t3:1,g3:2", "the name v2 is there twice"),
        ("v2=trainer:50052,g2:2", "the address trainer:50052 is there twice"),
        ("v2=t2:1,generator:50053", "the address generator:50053 is there twice"),
        ("v2=generator:50053,g2:2", "the address generator:50053 is there twice"),
        ("v2=t2:1,t2:1", "the address t2:1 is there twice"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidArgumentError, match="SETTING_INVALID") as caught:
        declared_pools(MAIN, text)
    assert told in caught.value.message
    assert "HEADSHOTS_GATEWAY_POOLS" in caught.value.message


def test_a_default_pool_has_to_be_declared() -> None:
    environ = {"HEADSHOTS_GATEWAY_POOLS": "v2=t2:1,g2:2", "HEADSHOTS_GATEWAY_DEFAULT_POOL": "v2"}
    assert GatewaySettings.from_environment(environ).default_pool == "v2"
    with pytest.raises(InvalidArgumentError, match="there are main, v2"):
        GatewaySettings.from_environment({**environ, "HEADSHOTS_GATEWAY_DEFAULT_POOL": "v3"})


def test_each_foundation_has_room_of_its_own_and_one_that_is_away_for_a_single_shot() -> None:
    answers = {FIRST: True, SECOND: False}
    assert openness(answers, {}, 4).closed == frozenset()
    assert openness(answers, {FIRST: 3, SECOND: 1}, 4).closed == {SECOND}
    assert openness(answers, {FIRST: 4}, 4).closed == {FIRST}
    full = openness(answers, {FIRST: 4, SECOND: 1, THIRD: 1}, 4)
    assert (full.others, full.is_nothing_open) == (False, True)
    assert not openness(answers, {FIRST: 4, SECOND: 1}, 4).is_nothing_open


def test_what_a_pool_said_last_is_remembered(engine: Engine) -> None:
    rows.remember(engine, "v2", DESCRIPTION)
    assert rows.remembered(engine, ["main", "v2"]) == {"v2": DESCRIPTION}
    newer = GeneratorDescription(SECOND, 16, "{subject}", "sks", 8, 8)
    rows.remember(engine, "v2", newer)
    assert rows.remembered(engine, ["v2"]) == {"v2": newer}
    with write(engine) as connection:
        document = {**dataclasses.asdict(newer), "of_a_later_version": [1, 2]}
        connection.execute(sa.update(table).values(description=document))
    assert rows.remembered(engine, ["v2"]) == {"v2": newer}, "a gateway of a later version may have written it"


def test_a_pool_that_only_others_know_counts_for_a_while(engine: Engine) -> None:
    rows.remember(engine, "v2", DESCRIPTION)
    assert rows.runs_elsewhere(engine, FIRST, ["main"])
    assert not rows.runs_elsewhere(engine, SECOND, ["main"])
    assert not rows.runs_elsewhere(engine, FIRST, ["main", "v2"]), "what it says itself is asked of it"
    with write(engine) as connection:
        connection.execute(sa.update(table).values(answered_at=table.c.answered_at - rows.NEWS_SECONDS - 1))
    assert not rows.runs_elsewhere(engine, FIRST, ["main"])
