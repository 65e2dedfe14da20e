"""Tests `headshots shoot` and its kin against a gateway in memory: what they print and save, and their exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.cli.shoot_options import moment
from headshots.client.convert.shoots import shoot as to_shoot
from headshots.console.advice import advice_for
from headshots.console.output import duration
from headshots.console.shoots import turnaround_line
from headshots.errors import FailedPreconditionError
from headshots.v1 import jobs_pb2, shoots_pb2
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE_SECONDS

TWO_STYLES = ("--styles", f"{STYLES[0]},{STYLES[2]}")


@pytest.fixture
def selfies(tmp_path: Path) -> Path:
    folder = tmp_path / "ada"
    folder.mkdir()
    for number in range(7):
        (folder / f"{number}.png").write_bytes(painted_png("selfie", number))
    (folder / "broken.jpg").write_text("not an image")
    return folder


def test_from_a_folder_of_selfies_to_the_best_portraits(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    terminal.fake.refused_shots = {1}
    out = tmp_path / "portraits"
    done = terminal.run("shoot", str(selfies), *TWO_STYLES, "--count", "4", "--out", str(out), code=7)
    assert "broken.jpg is left out: UNDECODABLE" in done.stderr
    assert "subjects/s0 is 'ada': 7 photos uploaded, 1 photo left out" in done.stderr
    names = [f"01-{STYLES[2]}.png", f"02-{STYLES[2]}.png", f"03-{STYLES[0]}.png", f"refused-01-{STYLES[0]}.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["RANK", "STYLE", "VERDICT", "TRIES", "LIKENESS", "WHY", "NOT"]
    assert lines[1].split() == ["1", STYLES[2], "accepted", "1", "0.800"]
    assert lines[4].split() == ["-", STYLES[0], "refused", "3", "0.200", *["NOT_ALIKE", "2.75", "(limit", "2)"]]
    assert "guarantee: NOT_MET, 3 of 4 portraits accepted by profile-worthy v1, 6 tries" in done.stdout
    assert f"4 images in {out}, best first: 01-{STYLES[2]}.png" in done.stdout
    assert "quoted 1 min 30 s, nine of ten within 2 min" in done.stderr


def test_the_same_selfies_are_the_same_person_and_not_trained_twice(terminal: Terminal, selfies: Path) -> None:
    order = ("shoot", str(selfies), "--pack", "business", "--count", "2", "--out", str(selfies / "out"))
    assert terminal.json(*order)["shoot"]["trains"] is True
    assert terminal.json(*order)["shoot"]["trains"] is False
    assert terminal.json(*order, "--retrain")["shoot"]["trains"] is True
    assert list(terminal.fake.subjects) == ["subjects/s0"]
    assert terminal.fake.calls["UploadPhotos"] == 1
    terminal.run(*order, "--name", "Somebody else")
    assert terminal.fake.subjects["subjects/s1"].display_name == "Somebody else"


def test_json_tells_all_and_the_best_alone_are_saved(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    out = tmp_path / "portraits"
    told = terminal.json("shoot", str(selfies), *TWO_STYLES, "--count", "4", "--best", "2", "--out", str(out))
    assert told["shoot"]["guarantee"] == "MET"
    assert [Path(file).name[:2] for file in told["files"]] == ["01", "02"]
    assert len(list(out.iterdir())) == 2
    assert [image["rank"] for image in told["images"]] == [1, 2, 3, 4]
    assert told["images"][0]["verdict"]["checks"][0]["reason"] == "NOT_ALIKE"


def test_options_reach_the_gateway(terminal: Terminal, selfies: Path) -> None:
    words = ("--profile", "strict", "--max-tries", "5", "--seed", "7", "--format", "jpeg", "--quality", "80")
    terminal.run(
        "shoot", str(selfies), "--pack", "business", "--count", "3", *words, "--class-noun", "woman", "--quote"
    )
    asked = terminal.fake.requests[-1]
    assert (asked.pack, asked.count, asked.profile, asked.max_tries) == ("packs/business", 3, "profiles/strict", 5)
    assert (asked.seed, asked.format, asked.quality, asked.validate_only) == (7, 2, 80, True)
    assert terminal.fake.subjects["subjects/s0"].class_noun == "woman"


def test_a_quote_orders_nothing(terminal: Terminal, selfies: Path) -> None:
    told = terminal.run("shoot", str(selfies), *TWO_STYLES, "--count", "5", "--quote").stdout
    fields = {line[:11].strip(): line[11:].strip() for line in told.splitlines()}
    assert fields["portraits"] == f"5: 3 {STYLES[0]}, 2 {STYLES[2]}"
    assert fields["judged by"] == "profile-worthy v1, 3 tries for each"
    assert fields["training"] == "20 steps"
    assert fields["device"] == "1 min 30 s of work"
    assert fields["measured on"] == "7 trainings and galleries"
    assert "nine of ten by" in fields["finished"]
    assert terminal.fake.shoots == {}
    terminal.run("train", "s0")
    assert "none: there is an adapter" in terminal.run("shoot", "s0", *TWO_STYLES, "--quote").stdout
    quoted = terminal.json("shoot", "s0", *TWO_STYLES, "--quote")
    assert quoted["quote"]["images"] == 42


def test_what_nobody_measured_is_said(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    terminal.fake.measures = False
    out = ("--out", str(tmp_path / "out"))
    done = terminal.run("shoot", str(selfies), *TWO_STYLES, "--count", "2", *out, code=7)
    assert "guarantee: NOT_MEASURED, not all 2 portraits could be judged" in done.stdout
    assert done.stdout.splitlines()[0] == "2 images NOT_MEASURED: there is no analyzer of faces"
    assert "HEADSHOTS_GATEWAY_FACES=people" in done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 2
    order = ("shoot", "s0", *TWO_STYLES, "--count", "2", "--best", "1", "--out", str(tmp_path / "best"))
    best = terminal.json(*order, code=7)
    assert len(best["files"]) == 1, "nobody has refused it"
    gallery = best["shoot"]["gallery"]
    assert len(terminal.json("images", "list", gallery, "--best", "1")) == 1
    fetched = terminal.json("images", "download", gallery, "--best", "1", "--out", str(tmp_path / "fetched"))
    assert len(fetched["files"]) == 1


def test_a_guarantee_that_is_not_met_is_7_and_says_what_to_do(
    terminal: Terminal, selfies: Path, tmp_path: Path
) -> None:
    terminal.fake.refused_shots = {1}
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--out", str(tmp_path / "out"))
    done = terminal.run(*order, code=7)
    gallery = "subjects/s0/galleries/g0"
    assert f"`headshots images list {gallery}` names those that are refused" in done.stderr
    assert "`headshots images regenerate IMAGE`" in done.stderr
    shoot = "subjects/s0/shoots/o0"
    watched = terminal.json("shoots", "watch", shoot, "--out", str(tmp_path / "out"), code=7)
    assert watched["shoot"]["guarantee"] == "NOT_MET"
    terminal.fake.refused_shots = set()
    assert "regenerate" not in terminal.run(*order).stderr
    assert "7 a shoot's guarantee" in " ".join(terminal.run("--help").stdout.split())


def test_a_shoot_can_be_left_and_taken_up(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    name = terminal.run("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--detach").stdout.strip()
    assert name == "subjects/s0/shoots/o0"
    assert "PENDING, training" in terminal.run("shoots", "get", name).stdout
    out = tmp_path / "portraits"
    assert "guarantee: MET" in terminal.run("shoots", "watch", name, "--out", str(out)).stdout
    assert "guarantee: MET" in terminal.run("shoots", "watch", name, "--out", str(out)).stdout
    assert len(list(out.iterdir())) == 2, "what is saved is not saved again"
    (row,) = [line for line in terminal.run("shoots", "list", "s0").stdout.splitlines() if "shoots/o0" in line]
    assert row.split()[1:4] == ["SUCCEEDED", "2/2", "MET"]
    second = terminal.run("shoot", "s0", *TWO_STYLES, "--detach").stdout.strip()
    assert "CANCELLED" in terminal.run("shoots", "cancel", second).stdout
    assert "JOB_CANCELLED" in terminal.run("shoots", "watch", second, code=1).stderr


def test_a_lost_gateway_is_found_again(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    terminal.fake.cut_after = [2]
    done = terminal.run("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--out", str(tmp_path / "out"))
    assert "the gateway went away (the gateway is stopping); reconnecting" in done.stderr
    assert "guarantee: MET" in done.stdout


def test_ctrl_c_leaves_the_shoot_and_says_how_to_go_on(terminal: Terminal, selfies: Path) -> None:
    terminal.fake.hold_watches = True
    words = ("shoot", str(selfies), *TWO_STYLES, "--out", "here", "--best", "10")
    process = subprocess.Popen(
        [sys.executable, "-m", "headshots", *words],
        env={**os.environ, **terminal.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert terminal.fake.held.wait(timeout=PATIENCE_SECONDS)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, said
    assert "headshots shoots watch subjects/s0/shoots/o0 --out here --best 10" in said
    assert "headshots shoots cancel subjects/s0/shoots/o0" in said


def test_a_failed_shoot_is_1_and_says_why(terminal: Terminal, selfies: Path) -> None:
    terminal.fake.training_failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="lower the rate")
    assert "TRAINING_DIVERGED: lower the rate" in terminal.run("shoot", str(selfies), *TWO_STYLES, code=1).stderr
    assert "TRAINING_DIVERGED" in terminal.run("shoots", "get", "subjects/s0/shoots/o0").stdout


def test_a_set_that_is_refused_leaves_nothing(terminal: Terminal, selfies: Path) -> None:
    for number in range(2):
        (selfies / f"{number}.png").unlink()
    refused = terminal.run("shoot", str(selfies), *TWO_STYLES, code=4)
    assert "PHOTOS_NOT_READY: send 1 more" in refused.stderr
    assert "headshots photos inspect FOLDER" in refused.stderr
    assert terminal.fake.subjects == {}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--pack", "nosuch"), "PACK_NOT_FOUND"),
        (("--styles", "nosuch"), "STYLE_NOT_FOUND"),
        (("--pack", "business", "--profile", "nosuch"), "PROFILE_NOT_FOUND"),
        (("--pack", "business", "--deadline", "2020-01-01"), "has passed"),
    ],
)
def test_a_mistake_in_an_order_uploads_nothing(
    terminal: Terminal, selfies: Path, words: tuple[str, ...], reason: str
) -> None:
    code = 2 if "--deadline" in words else 4
    assert reason in terminal.run("shoot", str(selfies), *words, code=code).stderr
    assert terminal.fake.subjects == {}


def test_an_order_tells_its_name_and_what_a_deadline_is_worth(terminal: Terminal, selfies: Path) -> None:
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--out", str(selfies / "out"))
    said = terminal.run(*order, "--deadline", "2100-01-01").stderr
    assert "subjects/s0/shoots/o0 is ordered, ready about" in said
    assert ", within the deadline" in said
    assert "cannot be checked" not in said
    terminal.fake.quotes = False
    said = terminal.run(*order, "--deadline", "2100-01-01").stderr
    assert "the deadline cannot be checked" in said


def test_the_shoot_that_trains_is_named_where_another_is_ordered(terminal: Terminal, selfies: Path) -> None:
    terminal.fake.one_training_at_a_time = True
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--detach")
    name = terminal.run(*order).stdout.strip()
    said = terminal.run(*order, code=4).stderr
    assert f"it is part of {name}" in said
    assert f"`headshots shoots watch {name}` follows it" in said


def test_a_shoot_that_was_late_says_so() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    shoot = shoots_pb2.Shoot(state=jobs_pb2.JOB_STATE_SUCCEEDED, stage=shoots_pb2.SHOOT_STAGE_ENDED)
    shoot.create_time.FromDatetime(begun)
    shoot.end_time.FromDatetime(begun + timedelta(minutes=5))
    shoot.deadline.FromDatetime(begun + timedelta(minutes=3))
    assert turnaround_line(to_shoot(shoot)).startswith("took 5 min, 2 min after the deadline")


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


def test_deadlines_are_read_as_people_write_them() -> None:
    now = datetime.now(UTC)
    assert timedelta(minutes=44) < moment("45m") - now < timedelta(minutes=46)
    assert timedelta(hours=47) < moment("2d") - now < timedelta(hours=49)
    assert moment("2026-12-24T18:00:00+01:00") == datetime(2026, 12, 24, 17, tzinfo=UTC)
    assert moment("2026-12-24T18:00").tzinfo is not None
    with pytest.raises(typer.BadParameter):
        moment("45 minutes")


def test_what_a_shoot_needs_is_given_free_by_the_command_that_ends_it() -> None:
    for job, command in (("shoots/o", "shoots"), ("trainings/t", "trainings"), ("galleries/g", "galleries")):
        name = f"subjects/s/{job}"
        for reason in ("SUBJECT_BUSY", "PHOTO_IN_USE", "GALLERY_IN_USE", "IMAGE_IN_USE"):
            said = advice_for(FailedPreconditionError(reason, "it is needed", metadata={"name": name}))
            assert said == f"`headshots {command} cancel {name}` ends it"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (3659, "1 h 1 min"), (7199.9, "2 h")],
)
def test_durations_are_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_images_are_listed_fetched_and_painted_again(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    terminal.fake.refused_shots = {0}
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "3", "--out", str(tmp_path / "all"))
    done = terminal.json(*order, code=7)
    gallery = done["shoot"]["gallery"]
    rows = [line.split() for line in terminal.run("images", "list", gallery).stdout.splitlines()]
    assert [row[:4] for row in rows[1:]] == [
        [f"{gallery}/images/2", "1", STYLES[2], "accepted"],
        [f"{gallery}/images/1", "2", STYLES[0], "accepted"],
        [f"{gallery}/images/0", "-", STYLES[0], "refused"],
    ]
    assert [image["rank"] for image in terminal.json("images", "list", gallery, "--only", "accepted")] == [1, 2]
    assert len(terminal.json("images", "list", gallery, "--styles", STYLES[2])) == 1
    assert (
        len(terminal.json("images", "download", gallery, "--best", "3", "--out", str(tmp_path / "two"))["files"]) == 2
    )
    best = terminal.run("images", "download", gallery, "--best", "1", "--out", str(tmp_path / "best")).stdout.split()
    assert best == [str(tmp_path / "best" / f"01-{STYLES[2]}.png")]
    disliked = f"{gallery}/images/1"
    again = terminal.json("images", "regenerate", disliked, "--max-tries", "2", "--out", str(tmp_path / "again"))
    assert again["gallery"]["regenerates"] == disliked
    assert len(again["files"]) == 1
    nosuch = terminal.run("images", "regenerate", f"{gallery}/images/9", code=4)
    assert "`headshots galleries list subjects/s0`" in nosuch.stderr


def test_packs_are_listed_and_shown(terminal: Terminal) -> None:
    (row,) = [line for line in terminal.run("packs", "list").stdout.splitlines() if "Business" in line]
    assert row.split() == ["business", "1", "everybody", "1", "8", "Business", "Suits."]
    assert terminal.run("packs", "show", "business").stdout.splitlines()[-1].split() == ["studio-navy-suit", "8"]
    assert terminal.json("packs", "list")[0]["total_shots"] == 8
    assert "`headshots packs list`" in terminal.run("packs", "show", "nosuch", code=4).stderr


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
    assert rows == [["profile-worthy", "1", "everybody"], ["strict", "1", "everybody"], ["team", "2", "you"]]
    assert (
        "there are max_likeness_spreads" in terminal.run("profiles", "create", "x", "--limit", "sharp=1", code=2).stderr
    )
    assert "NAME=NUMBER" in terminal.run("profiles", "create", "x", "--limit", "min_sharpness", code=2).stderr
    assert "min_sharpness" in terminal.run("profiles", "create", "x", "--limit", "min_sharpness=9", code=4).stderr
    assert "`headshots profiles list`" in terminal.run("profiles", "show", "nosuch", code=4).stderr
    listed = json.loads(terminal.run("profiles", "list", "--json").stdout)
    assert listed[0]["built_in"] is True


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
