"""Tests the commands against a gateway in memory: what they print and write, and their exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headshots.v1 import jobs_pb2
from tests.support.fake_gateway.gateway import API_KEY
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE_SECONDS

SAME_SEEDS = ("--style-seeds", "same")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "selfies"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.png").write_bytes(painted_png("selfie", number))
    (folder / "notes.txt").write_text("not a photo")
    (folder / ".hidden.png").write_text("not a photo either")
    return folder


def test_the_whole_job(terminal: Terminal, photos: Path, tmp_path: Path) -> None:
    subject = terminal.run("subjects", "create", "Ada", "--class-noun", "woman").stdout.strip()
    assert subject == "subjects/s0"
    trained = terminal.run("train", subject, "--photos", str(photos), "--steps", "20")
    assert "6 photos uploaded" in trained.stderr
    assert "SUCCEEDED" in trained.stdout
    assert "ab" * 32 in trained.stdout
    assert "not measured" in trained.stdout
    out = tmp_path / "gallery"
    styles = ["--style", STYLES[0], "--style", STYLES[2]]
    painted = terminal.run("generate", subject, *styles, "--shots", "2", "--seed", "7", *SAME_SEEDS, "--out", str(out))
    files = {f"{style}-{seed}.png" for style in (STYLES[0], STYLES[2]) for seed in (7, 8)}
    assert {path.name for path in out.iterdir()} == files
    assert painted.stdout.split() == [str(out / name) for name in sorted(files)]
    assert (out / f"{STYLES[2]}-8.png").read_bytes() == painted_png(f"styles/{STYLES[2]}", 8)


def test_repeating_a_command_uploads_nothing_twice(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    terminal.run("photos", "upload", "s0", str(photos))
    (photos / "6.png").write_bytes(painted_png("selfie", 6))
    again = terminal.run("photos", "upload", "s0", str(photos))
    assert "1 photo uploaded, 6 were there already" in again.stderr
    assert len(terminal.json("photos", "list", "s0")) == 7
    terminal.run("photos", "upload", "s0", str(photos))
    assert terminal.fake.calls["UploadPhotos"] == 2


def test_photos_are_inspected_before_they_are_uploaded(terminal: Terminal, photos: Path) -> None:
    said = terminal.run("photos", "inspect", str(photos))
    assert "6 of 6 photos are usable: ready to train" in said.stdout
    assert "faces were not looked for" in said.stderr
    (photos / "broken.jpg").write_text("not an image")
    (photos / "0.png").unlink()
    refused = terminal.run("photos", "inspect", str(photos), code=4)
    (row,) = [line for line in refused.stdout.splitlines() if "broken.jpg" in line]
    assert row.split()[:4] == ["5", "broken.jpg", "-", "UNDECODABLE"]
    assert "the file is no image; send another" in row
    assert "TOO_FEW: send 1 more" in refused.stdout
    assert "5 of 6 photos are usable: not ready to train" in refused.stdout
    assert terminal.fake.subjects == {}
    terminal.run("photos", "inspect", code=2)


def test_an_inspection_is_json_too_and_its_exit_code_tells(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    terminal.run("photos", "upload", "s0", str(photos))
    found = terminal.json("photos", "inspect", "--subject", "s0")
    assert found["ready_to_train"] is True
    assert found["photos"][0]["name"].startswith("subjects/s0/photos/")
    terminal.run("subjects", "create")
    few = json.loads(terminal.run("photos", "inspect", "--subject", "s1", "--json", code=4).stdout)
    assert few["findings"][0]["reason"] == "TOO_FEW"


def test_a_training_on_usable_photos_only_is_refused_where_they_are_too_few(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    (photos / "0.png").unlink()
    refused = terminal.run("train", "s0", "--photos", str(photos), "--only-usable", code=4)
    assert "PHOTOS_NOT_READY: send 1 more" in refused.stderr
    (photos / "9.png").write_bytes(painted_png("selfie", 9))
    assert "SUCCEEDED" in terminal.run("train", "s0", "--photos", str(photos), "--only-usable").stdout


def test_json_is_all_that_stdout_gets(terminal: Terminal, photos: Path, tmp_path: Path) -> None:
    subject = terminal.json("subjects", "create", "Ada")
    assert subject["display_name"] == "Ada"
    assert subject["adapter"] is None
    training = terminal.json("train", "s0", "--photos", str(photos))
    assert training["state"] == "SUCCEEDED"
    assert training["curve"][0] == {"step": 5, "loss": pytest.approx(1 / 6)}
    generated = terminal.json("generate", "s0", "--style", STYLES[0], *SAME_SEEDS, "--out", str(tmp_path / "g"))
    assert [Path(file).name for file in generated["files"]] == [f"{STYLES[0]}-{seed}.png" for seed in range(4)]
    assert generated["gallery"]["completed_shots"] == 4
    shown = terminal.json("subjects", "show", "s0")
    assert shown["trainings"] == [training]
    assert [style["name"] for style in terminal.json("styles", "list")] == [f"styles/{style}" for style in STYLES]
    assert terminal.json("styles", "show", STYLES[0])["recipe"]["framing"] == "head and shoulders"
    assert terminal.json("subjects", "list")[0]["name"] == "subjects/s0"
    assert terminal.json("galleries", "list", "s0")[0]["state"] == "SUCCEEDED"
    told = {"deleted": "subjects/s0", "deleted_objects": 6, "erasure": "erasures/e0"}
    assert terminal.json("subjects", "delete", "s0", "--yes") == told


def test_tables_are_for_people(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create", "Ada Lovelace")
    terminal.run("train", "s0", "--photos", str(photos))
    (row,) = [line for line in terminal.run("subjects", "list").stdout.splitlines() if "Ada" in line]
    assert row.split()[:5] == ["subjects/s0", "Ada", "Lovelace", "6", "yes"]
    shown = terminal.run("subjects", "show", "s0").stdout
    assert "subjects/s0/trainings/t0" in shown
    assert "20/20 steps" in shown
    assert STYLES[1] in terminal.run("styles", "list").stdout
    assert "16x16" in terminal.run("photos", "list", "s0").stdout
    assert "20/20" in terminal.run("trainings", "list", "s0").stdout


def test_jobs_can_be_left_and_taken_up(terminal: Terminal, photos: Path, tmp_path: Path) -> None:
    terminal.run("subjects", "create")
    detached = terminal.json("train", "s0", "--photos", str(photos), "--detach")
    assert detached["state"] == "PENDING"
    assert terminal.json("trainings", "watch", detached["name"])["state"] == "SUCCEEDED"
    terminal.run("generate", "s0", "--style", STYLES[0], "--out", str(tmp_path / "one"))
    terminal.run("galleries", "fetch", "subjects/s0/galleries/g0", "--out", str(tmp_path / "two"))
    assert len(list((tmp_path / "two").iterdir())) == 4
    again = ("generate", "s0", "--style", STYLES[1], "--remix", "subjects/s0/galleries/g0/images/2", "--repaint", "0.3")
    remixed = terminal.json(*again, "--out", str(tmp_path / "three"))["gallery"]
    assert remixed["remix"] == {"image": "subjects/s0/galleries/g0/images/2", "repaint": 0.3, "change": None, "to": ""}
    assert "CANCELLED" in terminal.run("galleries", "cancel", "subjects/s0/galleries/g0").stdout
    second = terminal.json("train", "s0", "--detach")
    assert "CANCELLED" in terminal.run("trainings", "cancel", second["name"]).stdout
    assert "JOB_CANCELLED" in terminal.run("trainings", "watch", second["name"], code=1).stderr


def test_a_failed_job_is_1_and_says_why(terminal: Terminal, photos: Path, tmp_path: Path) -> None:
    terminal.run("subjects", "create")
    terminal.fake.training_failure = jobs_pb2.Failure(reason="TRAINING_DIVERGED", message="lower the rate")
    assert "TRAINING_DIVERGED: lower the rate" in terminal.run("train", "s0", "--photos", str(photos), code=1).stderr
    terminal.fake.training_failure = None
    terminal.run("train", "s0")
    terminal.fake.gallery_failure = jobs_pb2.Failure(reason="SHOTS_FAILED", message="3 shots failed")
    out = tmp_path / "gallery"
    assert "3 shots" in terminal.run("generate", "s0", "--style", STYLES[0], "--out", str(out), code=1).stderr
    assert len(list(out.iterdir())) == 1, "what was painted is kept"


def test_refused_input_is_4(terminal: Terminal, photos: Path, tmp_path: Path) -> None:
    terminal.run("subjects", "create")
    assert "TOO_FEW_PHOTOS" in terminal.run("train", "s0", code=4).stderr
    assert "SUBJECT_NOT_FOUND" in terminal.run("subjects", "show", "nobody", code=4).stderr
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no photo")
    assert "PHOTO_UNDECODABLE" in terminal.run("photos", "upload", "s0", str(bad), code=4).stderr
    assert "there is no" in terminal.run("photos", "upload", "s0", str(tmp_path / "missing"), code=4).stderr
    (tmp_path / "empty").mkdir()
    assert "holds no photo" in terminal.run("train", "s0", "--photos", str(tmp_path / "empty"), code=4).stderr
    assert "NAME: must be at most" in terminal.run("subjects", "create", "x" * 200, code=4).stderr
    refused = terminal.run("subjects", "show", "nobody", "--json", code=4)
    assert json.loads(refused.stderr) == {
        "error": {"reason": "SUBJECT_NOT_FOUND", "message": "there is no subjects/nobody", "exit_code": 4}
    }
    assert refused.stdout == ""


def test_usage_key_and_connection_have_codes_of_their_own(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("train", code=2)
    terminal.run("generate", "s0", "--style", STYLES[0], "--shots", "0", code=2)
    assert "API_KEY_UNKNOWN" in terminal.run("styles", "list", "--api-key", "hs_wrong", code=5).stderr
    terminal.environment |= {"HEADSHOTS_API_KEY": "", "HEADSHOTS_HOME": str(tmp_path)}
    assert "API_KEY_MISSING" in terminal.run("styles", "list", code=5).stderr
    (tmp_path / "api-key").write_text(f"{API_KEY}\n")
    terminal.run("styles", "list")
    unreachable = terminal.run("styles", "list", "--address", "127.0.0.1:1", code=3)
    assert "headshots serve all" in unreachable.stderr
    assert "Traceback" not in unreachable.stderr


def test_deleting_asks_first(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada")
    terminal.run("subjects", "delete", "s0", code=1, input="n\n")
    assert "subjects/s0" in terminal.fake.subjects
    terminal.run("subjects", "delete", "s0", input="y\n")
    assert terminal.fake.subjects == {}


def test_a_training_leaves_files_to_download(terminal: Terminal, photos: Path, tmp_path: Path) -> None:
    terminal.run("subjects", "create", "Ada")
    training = terminal.json("train", "s0", "--photos", str(photos))["name"]
    out = tmp_path / "files"
    printed = terminal.run("trainings", "download", training, "--file", "kohya", "--file", "card", "--out", str(out))
    assert printed.stdout.split() == [str(out / "adapter.kohya.safetensors"), str(out / "README.md")]
    assert (out / "README.md").read_text() == "TRAINING_FILE_CARD"
    terminal.fake.missing_bytes = 1
    assert "DOWNLOAD_CUT" in terminal.run("trainings", "download", training, "--out", str(out), code=3).stderr
    assert not (out / "adapter.safetensors").exists()


def test_less_than_a_person_is_erased_and_renamed(terminal: Terminal, photos: Path, tmp_path: Path) -> None:
    terminal.run("subjects", "create", "Ada")
    terminal.run("train", "s0", "--photos", str(photos))
    assert "'Bob'" in terminal.run("subjects", "rename", "s0", "Bob").stderr
    name = terminal.json("photos", "list", "s0")[0]["name"]
    assert name in terminal.run("photos", "list", "s0").stdout
    terminal.run("photos", "delete", name, "--yes")
    assert len(terminal.json("photos", "list", "s0")) == 5
    assert "headshots photos list subjects/s0" in terminal.run("photos", "delete", name, "--yes", code=4).stderr
    terminal.run("generate", "s0", "--style", STYLES[0], "--out", str(tmp_path / "out"))
    gallery = terminal.json("galleries", "list", "s0")[0]["name"]
    terminal.run("images", "delete", f"{gallery}/images/1", "--yes")
    assert terminal.json("galleries", "delete", gallery, "--yes") == {"deleted": gallery}
    assert terminal.json("galleries", "list", "s0") == []


def test_the_installed_command_as_a_process(terminal: Terminal) -> None:
    environment = {**os.environ, **terminal.environment}
    done = subprocess.run(
        [sys.executable, "-m", "headshots", "styles", "list", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 3


def test_ctrl_c_leaves_the_training_and_says_how_to_go_on(terminal: Terminal, photos: Path) -> None:
    terminal.run("subjects", "create")
    terminal.run("photos", "upload", "s0", str(photos))
    terminal.fake.hold_watches = True
    process = subprocess.Popen(
        [sys.executable, "-m", "headshots", "train", "s0"],
        env={**os.environ, **terminal.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert terminal.fake.held.wait(timeout=PATIENCE_SECONDS)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, said
    assert "headshots trainings watch subjects/s0/trainings/t0" in said
    assert "Traceback" not in said
    assert terminal.fake.trainings["subjects/s0/trainings/t0"].state == jobs_pb2.JOB_STATE_PENDING


def test_own_styles_are_made_changed_previewed_and_archived(terminal: Terminal) -> None:
    words = ("--outfit", "linen shirt", "--backdrop", "sea", "--lighting", "sun", "--framing", "headshot")
    assert "linen shirt" in terminal.run("styles", "create", "sea", *words, "--validate-only").stdout
    assert "styles/sea" not in terminal.fake.styles
    made = terminal.json("styles", "create", "sea", *words, "--guidance", "0", "--width", "512", "--name", "Sea")
    assert (made["display_name"], made["version"], made["built_in"]) == ("Sea", 1, False)
    assert (made["recipe"]["guidance_scale"], made["recipe"]["width_px"], made["recipe"]["steps"]) == (0.0, 512, 0)
    assert made["recipe"]["guidance_interval"] is None
    changes = ("--negative-prompt", "blurry", "--guidance-interval", "0", "0.8")
    shown = terminal.run("styles", "update", "sea", *changes).stdout
    assert "from 0 to 0.8 of the noise schedule" in shown
    assert "blurry" in shown
    assert "linen shirt" in shown, "the rest stays"
    assert terminal.fake.styles["styles/sea"].version == 2
    seen = terminal.run("styles", "preview", "sea", "--class-noun", "woman").stdout
    assert "photo of woman in linen shirt" in seen
    assert "90 of 77" in seen
    assert "turquoise wall" in seen
    assert "2.5, from 0.25 to 0.75 of the noise schedule" in seen
    assert "subjects/s0" in terminal.run("styles", "preview", "sea", "--subject", "s0").stdout
    terminal.run("styles", "archive", "sea", "--yes")
    assert "sea" not in terminal.run("styles", "list").stdout
    assert "you, archived" in terminal.run("styles", "list", "--archived").stdout
    refused = terminal.run("styles", "archive", STYLES[0], "--yes", code=4)
    assert "headshots styles create" in refused.stderr
