"""Tests `headshots shoot` and its kin against a gateway in memory: what they print and save, and their exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from headshots.v1 import jobs_pb2
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import TWO_STYLES, Terminal, columns
from tests.support.waiting import PATIENCE_SECONDS


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


def test_a_quote_over_many_styles_fits_the_terminal(terminal: Terminal, selfies: Path) -> None:
    # Both are told the same times, to the minute.
    terminal.fake.ordered_at = 1_800_000_000.0
    order = ("shoot", str(selfies), "--styles", ",".join(STYLES), "--count", "40", "--quote")
    told = terminal.run(*order).stdout
    terminal.environment |= columns(60)
    lines = terminal.run(*order).stdout.splitlines()
    assert max(map(len, lines)) <= 60
    assert told.split() == " ".join(lines).split()


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


def test_into_a_pipe_each_stage_says_how_far_it_is(terminal: Terminal, selfies: Path, tmp_path: Path) -> None:
    done = terminal.run("shoot", str(selfies), *TWO_STYLES, "--count", "20", "--out", str(tmp_path / "out"))
    lines = [line for line in done.stderr.splitlines() if line.startswith(("training: ", "painting: ", "accepted: "))]
    assert lines[0].startswith("training: 5/20")
    painting = [line for line in lines if line.startswith("painting: ")]
    assert painting == [f"painting: {count}/20" for count in (1, *range(2, 21, 2))], "a line for each tenth"
    assert lines[-1] == "accepted: 20/20, of 20, 20 tried"
    assert "painting" not in done.stdout


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


def test_an_order_tells_its_name_and_what_a_deadline_is_worth(terminal: Terminal, selfies: Path) -> None:
    order = ("shoot", str(selfies), *TWO_STYLES, "--count", "2", "--out", str(selfies / "out"))
    said = terminal.run(*order, "--deadline", "2100-01-01").stderr
    assert "subjects/s0/shoots/o0 is ordered, ready about" in said
    assert ", within the deadline" in said
    assert "cannot be checked" not in said
    terminal.fake.quotes = False
    said = terminal.run(*order, "--deadline", "2100-01-01").stderr
    assert "the deadline cannot be checked" in said
