"""Tests `headshots looks` and `headshots teams`, against a gateway in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from headshots.client import AsyncHeadshots
from tests.support.fake_gateway.gateway import API_KEY
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal

LOOK = ("looks", "create", "office", "--style", STYLES[0], "--size", "96x120")


def people(terminal: Terminal, count: int) -> list[str]:
    """Names of subjects with adapters."""

    async def made() -> list[str]:
        async with AsyncHeadshots(terminal.environment["HEADSHOTS_ADDRESS"], API_KEY) as client:
            subjects = [await client.create_subject(f"Person {number}") for number in range(count)]
            for subject in subjects:
                await client.upload_photos(subject, [painted_png("selfie", number) for number in range(6)])
                await client.train(subject)
        return [subject.name for subject in subjects]

    return asyncio.run(made())


def test_looks_are_made_changed_shown_and_archived(terminal: Terminal) -> None:
    made = terminal.json(*LOOK, "--seeds", "varied", "--max-repaints", "0", "--name", "Office")
    assert (made["name"], made["frame"]["width_px"], made["seed_policy"]) == ("looks/office", 96, "VARIED")
    assert made["max_repaints"] == 0
    changed = terminal.json(
        "looks", "update", "office", "--size", "128x128", "--head-height", "0.8", "--portraits", "3"
    )
    assert (changed["version"], changed["frame"]["head_height"], changed["portraits"]) == (2, 0.8, 3)
    shown = terminal.run("looks", "show", "office").stdout
    assert "128x128" in shown
    assert "varied, from 0" in shown
    assert "new teams refuse it" in terminal.run("looks", "archive", "office", "--yes").stderr
    assert "office" not in terminal.run("looks", "list").stdout
    assert "Office, archived" in terminal.run("looks", "list", "--archived").stdout
    assert "`headshots looks list`" in terminal.run("looks", "show", "nosuch", code=4).stderr


@pytest.mark.parametrize("size", ["96", "96x", "x", "-1x3", "96x120x3", "axb"])
def test_what_is_no_size_is_refused_before_anything_is_sent(terminal: Terminal, size: str) -> None:
    arguments = ("looks", "create", "office", "--style", STYLES[0], "--size", size)
    assert "is no WxH" in terminal.run(*arguments, code=2).stderr
    assert "changes as a whole" in terminal.run("looks", "update", "office", "--eye-line", "0.5", code=2).stderr
    assert not terminal.fake.calls


def test_a_team_is_ordered_saved_joined_and_shown(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(*LOOK)
    first, second, late = people(terminal, 3)
    quoted = terminal.json("teams", "shoot", "office", first, second, "--quote")
    assert [member["quote"]["images"] for member in quoted["members"]] == [1, 1]
    assert not terminal.fake.teams
    out = tmp_path / "portraits"
    whole = terminal.run("teams", "shoot", "office", first, "--out", str(out))
    (row,) = [line.split() for line in whole.stdout.splitlines() if line.startswith(first.split("/")[1])]
    assert row[1:] == ["SUCCEEDED", "1/1", "0"]
    assert f"1 portrait in {out}" in whole.stdout
    name = terminal.json("teams", "list")[0]["name"]
    terminal.fake.outlying_members = {second}
    joined = terminal.run("teams", "add", name, second, "--out", str(out), code=7)
    assert "backdrop" in joined.stdout
    assert "0.2% apart" in joined.stdout
    ids = [member.split("/")[1] for member in (first, second)]
    assert sorted(file.name for file in out.iterdir()) == sorted(f"{each}-{STYLES[0]}.png" for each in ids)
    assert "`headshots teams show" in terminal.run("teams", "add", name, first, code=4).stderr
    shown = terminal.run("teams", "show", name).stdout
    table = shown.partition("falls out by")[0]
    rows = [line.split() for line in table.splitlines() if "/images/" in line and "backdrop:" not in line][:2]
    assert [[row[0].split("/")[1], *row[1:]] for row in rows] == [[ids[0], STYLES[0]], [ids[1], STYLES[0], "backdrop"]]
    (out / f"{ids[0]}-{STYLES[0]}.png").write_bytes(b"as it was before it was painted again")
    assert f"{ids[0]}-{STYLES[0]}-2.png has another number" in " ".join(
        terminal.run("teams", "watch", name, "--out", str(out), code=7).stderr.split()
    )
    assert [each in shown for each in (*ids, late.split("/")[1])] == [True, True, False]
    detached = terminal.json("teams", "shoot", "office", first, late, "--detach")
    assert terminal.run("teams", "cancel", detached["name"]).stdout.split()[-1] == "CANCELLED"
    assert "JOB_CANCELLED" in terminal.run("teams", "watch", detached["name"], code=1).stderr
    assert "`headshots teams list`" in terminal.run("teams", "show", "nosuch", code=4).stderr


def test_members_without_an_adapter_are_told_with_what_to_do(terminal: Terminal) -> None:
    terminal.run(*LOOK)
    bare = terminal.json("subjects", "create", "Nobody")["name"]
    refused = terminal.run("teams", "shoot", "office", bare, code=4)
    assert "--train has those trained first" in refused.stderr
    terminal.json("teams", "shoot", "office", bare, "--train", "--quote")


def test_a_quote_says_that_nothing_was_made_and_what_it_would_take(terminal: Terminal) -> None:
    terminal.run(*LOOK)
    first, second = people(terminal, 2)
    told = terminal.run("teams", "shoot", "office", first, second, "--quote").stdout
    assert told.startswith("no team was made: this is a quote")
    assert "teams/" not in told
    fields = dict(line.split(maxsplit=1) for line in told.splitlines() if line.startswith(("people", "device")))
    assert {name: value.strip() for name, value in fields.items()} == {"people": "2", "device": "1 min of work"}
    (row,) = [line.split() for line in told.splitlines() if line.startswith(second.split("/")[1])]
    assert row[1:] == ["none", "1", "1", "30", "s", "not", "known"]
    assert not terminal.fake.teams
    name = terminal.json("teams", "shoot", "office", first, "--detach")["name"]
    joins = terminal.run("teams", "add", name, second, "--quote").stdout
    assert joins.startswith(f"nobody was added to {name}: this is a quote")
    assert second.split("/")[1] in joins
    assert first.split("/")[1] not in joins, "who is in the team takes nothing more"
    assert len(terminal.fake.teams[name].members) == 1


def test_what_falls_out_is_told_with_its_measure_and_the_next_commands(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(*LOOK)
    first, second = people(terminal, 2)
    terminal.fake.outlying_members = {second}
    out = tmp_path / "portraits"
    told = terminal.run("teams", "shoot", "office", first, second, "--out", str(out), code=7).stdout
    assert "falls out by backdrop: dE 5.2 from the team's, dE 3.0 allowed (painted again 2 times)" in told
    assert f"`headshots images regenerate {second}/galleries/" in told
    assert f"it is saved in {out}" in told
    both = f"{first.split('/')[1]} {second.split('/')[1]}"
    assert f"`headshots looks update office --max-repaints 5`, then `headshots teams shoot office {both}`" in told
    shown = terminal.run("teams", "show", "teams/t0").stdout
    assert "`headshots teams watch teams/t0` saves it" in shown
    assert "dE 5.2" in shown


def test_members_who_failed_and_portraits_that_are_missing_are_told_with_the_next_command(terminal: Terminal) -> None:
    terminal.run(*LOOK, "--max-repaints", "5", "--max-tries", "10")
    first, second = people(terminal, 2)
    terminal.fake.failing_members, terminal.fake.outlying_members = {second}, {first}
    told = terminal.run("teams", "shoot", "office", first, second, code=7).stdout
    assert f"`headshots teams add teams/t0 {second.split('/')[1]}` orders them again" in told
    assert "`headshots looks update office --seed 1000`" in told


def test_a_check_says_that_nothing_was_made_or_changed(terminal: Terminal) -> None:
    told = terminal.run(*LOOK, "--validate-only").stdout
    assert told.startswith("valid; nothing was made")
    assert not terminal.fake.looks
    terminal.run(*LOOK)
    told = terminal.run("looks", "update", "office", "--seed", "7", "--validate-only").stdout
    assert told.startswith("valid; nothing was changed")
    assert terminal.json("looks", "update", "office", "--seed", "7", "--validate-only")["version"] == 2
    pack = ("packs", "create", "mine", "--style", f"{STYLES[0]}=2", "--validate-only")
    assert terminal.run(*pack).stdout.startswith("valid; nothing was made")


def test_an_update_of_nothing_says_what_can_be_given(terminal: Terminal) -> None:
    terminal.run(*LOOK)
    calls = len(terminal.fake.calls)
    for typed, option in (
        (("looks", "update", "office"), "--head-height"),
        (("packs", "update", "business"), "--style"),
        (("profiles", "update", "mine"), "--limit"),
        (("styles", "update", "mine"), "--negative-prompt"),
    ):
        refused = terminal.run(*typed, code=2).stderr
        assert "say what changes" in refused
        assert option in refused
    assert len(terminal.fake.calls) == calls


def test_a_refusal_names_the_option_and_not_the_field(terminal: Terminal) -> None:
    refused = terminal.run(*LOOK, "--eye-line", "0.1", "--head-height", "0.9", code=4).stderr
    assert "--eye-line: the crown is cut off" in refused
    assert "frame.eye_line" not in refused
