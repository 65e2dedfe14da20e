"""Tests `headshots packs` for packs of one's own, against a gateway in memory."""

from __future__ import annotations

import pytest

from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal


def test_packs_are_made_changed_and_archived(terminal: Terminal) -> None:
    styles = ("--style", f"{STYLES[2]}=3", "--style", f"{STYLES[0]}=1")
    made = terminal.json("packs", "create", "team", *styles, "--name", "Team")
    assert (made["name"], made["display_name"], made["total_shots"]) == ("packs/team", "Team", 4)
    assert [(each["style"], each["shots"]) for each in made["styles"]] == [
        (f"styles/{STYLES[2]}", 3),
        (f"styles/{STYLES[0]}", 1),
    ]
    renamed = terminal.json("packs", "update", "team", "--description", "Ours.")
    assert (renamed["version"], renamed["styles"], renamed["description"]) == (2, made["styles"], "Ours.")
    shown = terminal.run("packs", "update", "team", "--style", f"{STYLES[1]}=2").stdout.splitlines()
    assert shown[-1].split() == [STYLES[1], "2"]
    assert len([line for line in shown if line.startswith(STYLES)]) == 1
    assert "new shoots refuse it" in terminal.run("packs", "archive", "team", "--yes").stderr
    assert "team" not in terminal.run("packs", "list").stdout
    assert "you, archived" in terminal.run("packs", "list", "--archived").stdout
    assert "`headshots packs create`" in terminal.run("packs", "archive", "business", "--yes", code=4).stderr


@pytest.mark.parametrize(
    "word",
    ["studio-navy-suit", "studio-navy-suit=", "=3", "studio-navy-suit=-1", "a=3.5", "a=0", "a=65", f"a={10**12}"],
)
def test_what_is_no_style_with_its_shots_is_refused_before_anything_is_sent(terminal: Terminal, word: str) -> None:
    for arguments in (("create", "--style", word), ("update", "--style", "studio-navy-suit=1", "--style", word)):
        assert "is no STYLE=SHOTS" in terminal.run("packs", *arguments, "team", code=2).stderr
    twice = ("--style", "a=1", "--style", "a=2")
    assert "given twice" in terminal.run("packs", "create", "team", *twice, code=2).stderr
    assert not terminal.fake.calls


@pytest.mark.parametrize("group", ["packs", "styles", "profiles"])
def test_a_version_that_no_field_holds_is_wrong_usage(terminal: Terminal, group: str) -> None:
    assert "less than or equal to" in terminal.run(group, "show", "a", "--version", str(2**31), code=2).stderr
    assert "_NOT_FOUND" in terminal.run(group, "show", "a", "--version", str(2**31 - 1), code=4).stderr


def test_packs_are_listed_and_shown(terminal: Terminal) -> None:
    (row,) = [line for line in terminal.run("packs", "list").stdout.splitlines() if "Business" in line]
    assert row.split() == ["business", "1", "everybody", "1", "8", "Business", "Suits."]
    assert terminal.run("packs", "show", "business").stdout.splitlines()[-1].split() == ["studio-navy-suit", "8"]
    assert terminal.json("packs", "list")[0]["total_shots"] == 8
    assert "`headshots packs list`" in terminal.run("packs", "show", "nosuch", code=4).stderr
