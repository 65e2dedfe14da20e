"""Tests what `headshots shoot` refuses and how it says so, against a gateway in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.v1 import jobs_pb2
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import TWO_STYLES, Terminal


def test_a_set_that_is_refused_leaves_nothing(terminal: Terminal, selfies: Path) -> None:
    for number in range(2):
        (selfies / f"{number}.png").unlink()
    refused = terminal.run("shoot", str(selfies), *TWO_STYLES, code=4)
    assert "PHOTOS_NOT_READY: send 1 more" in refused.stderr
    assert "headshots photos inspect FOLDER" in refused.stderr
    assert terminal.fake.subjects == {}


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--pack", "nosuch"), 4, "PACK_NOT_FOUND"),
        (("--styles", "nosuch"), 4, "STYLE_NOT_FOUND"),
        (("--pack", "business", "--profile", "nosuch"), 4, "PROFILE_NOT_FOUND"),
        (("--pack", "business", "--deadline", "2020-01-01"), 2, "has passed"),
        (("--pack", "business", "--deadline", "5m"), 4, "DEADLINE_TOO_EARLY"),
    ],
)
def test_a_mistake_in_an_order_uploads_nothing(
    terminal: Terminal, selfies: Path, words: tuple[str, ...], code: int, reason: str
) -> None:
    assert reason in terminal.run("shoot", str(selfies), *words, code=code).stderr
    assert (terminal.fake.subjects, terminal.fake.calls["UploadPhotos"]) == ({}, 0)


def test_who_was_made_of_a_folder_stays_while_the_gateway_is_away_and_where_they_are_held(
    terminal: Terminal, selfies: Path
) -> None:
    # More often than the client tries.
    terminal.fake.unavailable["CreateShoot"] = 99
    assert "GATEWAY_STARTING" in terminal.run("shoot", str(selfies), *TWO_STYLES, code=3).stderr
    assert list(terminal.fake.subjects) == ["subjects/s0"]
    terminal.fake.unavailable.clear()
    terminal.run("subjects", "hold", "s0", "--reason", "a complaint")
    refused = terminal.run("shoot", str(selfies), *TWO_STYLES, "--priority", "high", code=4).stderr
    assert ("PRIORITY_NOT_GRANTED" in refused, "SUBJECT_HELD" in refused) == (True, False)
    assert (list(terminal.fake.subjects), terminal.fake.calls["DeleteSubject"]) == (["subjects/s0"], 0)


def test_the_shoot_that_trains_is_named_where_another_is_ordered(terminal: Terminal, selfies: Path) -> None:
    terminal.fake.one_training_at_a_time = True
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--detach")
    name = terminal.run(*order).stdout.strip()
    said = terminal.run(*order, code=4).stderr
    assert f"it is part of {name}" in said
    assert f"`headshots shoots watch {name}` follows it" in said


def test_mistakes_are_told_in_words(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    order = ("shoot", str(selfies))
    assert "headshots packs list" in terminal.run(*order, code=2).stderr
    assert "not both" in terminal.run(*order, "--pack", "business", *TWO_STYLES, code=2).stderr
    for count in ("0", "161"):
        terminal.run(*order, *TWO_STYLES, "--count", count, code=2)
    assert "is no time: 45m" in terminal.run(*order, *TWO_STYLES, "--deadline", "soon", code=2).stderr
    assert "has passed" in terminal.run(*order, *TWO_STYLES, "--deadline", "2020-01-01", code=2).stderr
    early = terminal.run(*order, *TWO_STYLES, "--deadline", "5m", code=4)
    assert "DEADLINE_TOO_EARLY" in early.stderr
    assert "--quote tells when" in early.stderr
    nosuch = terminal.run(*order, "--pack", "nosuch", code=4)
    assert "PACK_NOT_FOUND" in nosuch.stderr
    assert "`headshots packs list`" in nosuch.stderr
    assert "STYLES_REPEATED" in terminal.run(*order, "--styles", f"{STYLES[0]},{STYLES[0]}", code=4).stderr
    for wrong in ("Nobody", "nobody", str(tmp_path / "nowhere")):
        refused = terminal.run("shoot", wrong, *TWO_STYLES, code=4)
        assert f"SUBJECT_NOT_FOUND: {wrong} is neither a folder nor a subject" in refused.stderr
    assert "is a file" in terminal.run("shoot", __file__, *TWO_STYLES, code=4).stderr
    missing = terminal.run("shoots", "watch", "subjects/s0/shoots/o9", code=4)
    assert "`headshots shoots list subjects/s0`" in missing.stderr


def test_what_is_archived_is_told_before_a_person_is_made_of_the_selfies(terminal: Terminal, selfies: Path) -> None:
    recipe = ("--prompt", "photo of {subject}")
    terminal.run("styles", "create", "mine", *recipe)
    for pack, style in (("gone", STYLES[0]), ("stale", "mine")):
        terminal.run("packs", "create", pack, "--style", f"{style}=2")
    terminal.run("packs", "archive", "gone", "--yes")
    terminal.run("styles", "archive", "mine", "--yes")
    order = ("shoot", str(selfies), "--quote")
    for wanted, said in (
        (("--pack", "gone"), "PACK_ARCHIVED: packs/gone is archived and out of use; take another"),
        (("--styles", "mine"), "STYLE_ARCHIVED: styles/mine is archived and out of use; take another"),
        (("--pack", "stale"), "out of use; `headshots packs update stale` gives the pack others"),
    ):
        assert said in terminal.run(*order, *wanted, code=4).stderr
    assert terminal.fake.subjects == {}


@pytest.mark.parametrize("command", ["train", "generate", "shoot"])
def test_high_priority_is_asked_for_and_its_refusal_told(terminal: Terminal, selfies: Path, command: str) -> None:
    terminal.run("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--out", str(selfies / "out"))
    more = {"train": (), "generate": ("--style", STYLES[0], "--shots", "1"), "shoot": (*TWO_STYLES, "--count", "1")}
    out = () if command == "train" else ("--out", str(selfies / "more"))
    order = (command, "s0", *more[command], *out)
    refused = terminal.run(*order, "--priority", "high", code=4)
    assert "PRIORITY_NOT_GRANTED: high priority is a right" in refused.stderr
    terminal.fake.high_granted = True
    made = "CreateTraining" if command == "train" else f"Create{'Gallery' if command == 'generate' else 'Shoot'}"
    for named, sent in ((("--priority", "high"), jobs_pb2.PRIORITY_HIGH), ((), jobs_pb2.PRIORITY_STANDARD)):
        terminal.run(*order, *named)
        (*_, asked) = [each for each in terminal.fake.requests if type(each).__name__ == f"{made}Request"]
        assert asked.priority == sent
    assert "high" in terminal.run(*order, "--priority", "urgent", code=2).stderr
