"""Tests `headshots profiles` against a gateway in memory."""

from __future__ import annotations

import json

from headshots.acceptance.profiles import PROFILE_WORTHY
from tests.support.terminal import Terminal


def test_profiles_are_made_changed_and_shown(terminal: Terminal) -> None:
    made = terminal.json("profiles", "create", "team", "--limit", "min_sharpness=0.75", "--name", "Team")
    assert (made["name"], made["display_name"], made["limits"]["min_sharpness"]) == ("profiles/team", "Team", 0.75)
    assert made["limits"]["min_face_share"] == PROFILE_WORTHY.limits.min_face_share
    terminal.run("profiles", "update", "team", "--limit", "min_face_share=0.5")
    shown = terminal.run("profiles", "show", "team").stdout
    assert {
        "min_sharpness         0.75",
        "min_face_share        0.5",
        f"max_face_outside      {PROFILE_WORTHY.limits.max_face_outside:g}",
    } <= set(shown.splitlines())
    rows = [line.split()[:3] for line in terminal.run("profiles", "list").stdout.splitlines()[1:]]
    assert rows == [["profile-worthy", "2", "everybody"], ["strict", "2", "everybody"], ["team", "2", "you"]]
    assert (
        "there are max_likeness_spreads" in terminal.run("profiles", "create", "x", "--limit", "sharp=1", code=2).stderr
    )
    assert "NAME=NUMBER" in terminal.run("profiles", "create", "x", "--limit", "min_sharpness", code=2).stderr
    assert "min_sharpness" in terminal.run("profiles", "create", "x", "--limit", "min_sharpness=9", code=4).stderr
    assert "`headshots profiles list`" in terminal.run("profiles", "show", "nosuch", code=4).stderr
    listed = json.loads(terminal.run("profiles", "list", "--json").stdout)
    assert listed[0]["built_in"] is True
