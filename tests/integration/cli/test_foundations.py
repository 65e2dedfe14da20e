"""Tests `headshots foundations`, and the choice of one, against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

from headshots.v1 import shoots_pb2, trainings_pb2
from tests.support.fake_gateway.foundations import FOUNDATION, OLDER
from tests.support.terminal import Terminal


def test_foundations_are_listed_and_shown_by_name_or_digest(terminal: Terminal) -> None:
    lines = terminal.run("foundations", "list").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["FOUNDATION", "NAME", "DEFAULT", "SERVED", "SIZE"],
        ["cdcdcdcdcdcd", "tiny", "yes", "by", "2", "512x768"],
        ["cececececece", "older", "not", "now", "0x0"],
    ]
    shown = terminal.run("foundations", "show", "tiny").stdout
    assert terminal.run("foundations", "show", "cdcd").stdout == shown
    assert FOUNDATION.name in shown.replace("\n", "").replace(" ", "")
    assert "by 2 generators" in shown
    assert "20 (dpmpp_2m)" in shown
    assert "2.5, from 0.25 to 0.75 of the noise schedule" in shown
    assert "0.78 of the height, the eyes 0.39 from above" in shown
    assert "not told" in terminal.run("foundations", "show", OLDER.name).stdout
    assert terminal.json("foundations", "show", OLDER.name)["ready_generators"] == 0
    refused = terminal.run("foundations", "show", "c", code=4).stderr
    assert "several foundations are called 'c'" in " ".join(refused.split())
    assert "tiny (cdcdcdcdcdcd)" in refused
    assert "`headshots foundations list`" in terminal.run("foundations", "show", "sdxl", code=4).stderr


def test_a_training_and_a_shoot_name_the_foundation_they_are_made_on(terminal: Terminal, selfies: Path) -> None:
    subject = terminal.json("subjects", "create", "Ada")["name"]
    terminal.run("train", subject, "--photos", str(selfies), "--only-usable", "--foundation", "older", "--detach")
    trainings = [each for each in terminal.fake.requests if isinstance(each, trainings_pb2.CreateTrainingRequest)]
    assert {each.foundation for each in trainings} == {OLDER.name}
    terminal.run("shoot", str(selfies), "--pack", "business", "--foundation", "cece", "--detach")
    shoots = [each for each in terminal.fake.requests if isinstance(each, shoots_pb2.CreateShootRequest)]
    assert {each.foundation for each in shoots} == {OLDER.name}
    terminal.run("shoot", str(selfies), "--pack", "business", "--foundation", "nosuch", "--detach", code=4)
    assert len([each for each in terminal.fake.requests if isinstance(each, shoots_pb2.CreateShootRequest)]) == len(
        shoots
    )
