"""A PostgreSQL database is looked at as an SQLite one is."""

from __future__ import annotations

from headshots.doctor.databases import DatabaseLook
from headshots.doctor.findings import Result, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from tests.support.deploy import postgres

pytestmark = postgres.needed


def looked_at(url: str) -> dict[str, Result]:
    return {each.check: each for each in run("gateway", DatabaseLook(url).checks, Redactor({}))}


def test_a_server_answers_for_its_databases_and_refuses_others_without_telling_a_password(postgres_server: str) -> None:
    found = looked_at(f"{postgres_server}/postgres")
    assert {each.state for each in found.values()} == {State.OK}
    assert found["database"].seen.startswith("PostgreSQL ")
    assert found["schema"].seen.startswith("empty; the first start migrates it to ")
    assert looked_at(f"{postgres_server}/postgres")["schema"].seen == found["schema"].seen, "nothing was migrated"

    missing = looked_at(f"{postgres_server}/nowhere")
    assert missing["database"].state is State.FAILED
    assert '"nowhere" does not exist' in missing["database"].seen
    stranger = looked_at(postgres_server.replace("tests@", "ada:geheim@") + "/postgres")
    assert stranger["database"].state is State.FAILED
    assert "ada" in stranger["database"].seen
    assert "geheim" not in str(stranger)
