"""Tests the options and commands about how long people are kept, against a gateway in memory."""

from __future__ import annotations

from tests.support.terminal import Terminal


def test_a_person_is_made_for_a_time_and_kept_longer(terminal: Terminal) -> None:
    made = terminal.json("subjects", "create", "Ada", "--keep", "2h")
    assert terminal.fake.requests[-1].retention_seconds == 7200
    later = terminal.json("subjects", "extend", "s0", "90d")
    assert later["expire_time"] > made["expire_time"]
    assert "subjects/s0 is kept until 20" in terminal.run("subjects", "extend", "s0", "91d").stderr
    assert "RETENTION_INVALID" in terminal.run("subjects", "extend", "s0", "1d", code=4).stderr
    for wrong in (("create", "--keep", "soon"), ("extend", "s0", "soon")):
        terminal.run("subjects", *wrong, code=2)


def test_a_person_is_held_and_released(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada")
    terminal.run("subjects", "hold", "s0", code=2)
    assert "subjects/s0 is held: a dispute" in terminal.run("subjects", "hold", "s0", "--reason", "a dispute").stderr
    assert "a dispute" in terminal.run("subjects", "show", "s0").stdout
    refused = terminal.run("subjects", "delete", "s0", "--yes", code=4).stderr
    assert "`headshots subjects release subjects/s0`" in refused
    assert "subjects/s0 is kept until" in terminal.run("subjects", "release", "s0").stderr
    terminal.run("subjects", "delete", "s0", "--yes")
