"""Tests the demo's parts: people, styles, stages, memory and the report."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from PIL import Image
from rich.console import Console

from headshots.cli.options import existing_folder
from headshots.client import Frame
from headshots.demo.choices import DRAWN_ONLY, PHOTOGRAPHIC, STYLES, choose_styles, reservations
from headshots.demo.display import Display
from headshots.demo.job import run_demo
from headshots.demo.memory import MemoryWatch
from headshots.demo.options import DemoOptions
from headshots.demo.orders.team import frame_within
from headshots.demo.people import SELFIES, from_folder, sample_person
from headshots.demo.results import report
from headshots.demo.results.album import LeftOut
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import InvalidArgumentError, InvalidPhotoError, NotFoundError
from headshots.settings import default_foundation, without_settings
from headshots.styles.library import StyleLibrary
from tests.support.foundations.engines import tiny_foundation
from tests.support.images.albums import album, one_look, picture, remixed, style
from tests.support.paths import ROOT
from tests.support.trainer.foundation import described_foundation
from tests.support.waiting import PATIENCE_SECONDS


def test_sample_people_are_drawn_and_differ(tmp_path: Path) -> None:
    one, other = sample_person(0, tmp_path / "0"), sample_person(1, tmp_path / "1")
    assert len(one.photos) == SELFIES >= 6
    assert one.class_noun in ("man", "woman")
    with Image.open(one.photos[0]) as selfie:
        assert min(selfie.size) >= 128
    assert one.photos[0].read_bytes() != other.photos[0].read_bytes()
    assert sample_person(0, tmp_path / "again").photos[3].read_bytes() == one.photos[3].read_bytes()


def test_own_photos_come_by_name_and_must_be_there(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt"):
        (tmp_path / name).write_bytes(picture((1, 2, 3)))
    person = from_folder(tmp_path, "woman")
    assert [path.name for path in person.photos] == ["a.png", "b.JPG"]
    assert (person.name, person.class_noun) == (tmp_path.name, "woman")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidPhotoError, match="holds no "):
        from_folder(tmp_path / "empty", "person")


@pytest.mark.parametrize(("six", "folder"), [(STYLES, "styles"), (PHOTOGRAPHIC, "styles/photographic")])
def test_the_demo_has_six_styles_of_each_library(six: Sequence[str], folder: str) -> None:
    library = list(StyleLibrary.load(ROOT / folder))
    assert len(set(six)) == 6
    assert set(six) <= {each.name for each in library}
    listed = [style(each.name) for each in library]
    assert choose_styles(listed, []) == [f"styles/{name}" for name in six]


def test_the_demo_paints_the_styles_that_fit_its_foundation_or_those_named(tmp_path: Path) -> None:
    bundled = DemoOptions(Path("out"), Path("engines"))
    assert bundled.style_folder == ROOT / "styles"
    assert bundled.library_shown == "the built-in styles for drawn people"
    real = replace(bundled, foundation=described_foundation(tmp_path).path)
    assert real.style_folder == ROOT / "styles" / "photographic"
    assert real.library_shown == "the built-in styles for photographs"
    named = replace(real, style_library=tmp_path / "mine")
    assert (named.style_folder, named.library_shown) == (tmp_path / "mine", "the styles of mine")


def test_styles_are_those_wanted_or_the_demos_own_or_the_first_six() -> None:
    ours = [style(name) for name in ("zebra", *STYLES)]
    foreign = [style(f"s{number}") for number in range(9)]
    assert choose_styles(ours, ["zebra", "styles/zebra"]) == ["styles/zebra"]
    with pytest.raises(NotFoundError, match="no style nosuch; there are zebra, studio-navy-suit") as caught:
        choose_styles(ours, ["zebra", "nosuch"])
    assert caught.value.reason == "STYLE_NOT_FOUND"
    assert choose_styles(ours, []) == [f"styles/{name}" for name in STYLES]
    assert choose_styles(foreign, []) == [f"styles/s{number}" for number in range(6)]


def test_owners_of_photos_are_told_what_the_foundation_cannot_do(tmp_path: Path) -> None:
    assert reservations(default_foundation(), "woman") == [DRAWN_ONLY]
    drawn, unknown = reservations(default_foundation(), "dragon")
    assert drawn == DRAWN_ONLY
    assert "'dragon'" in unknown
    assert "person" in unknown
    foreign = Path(shutil.copytree(tiny_foundation(), tmp_path / "foreign"))
    assert reservations(foreign, "person") == []
    with pytest.raises(InvalidArgumentError, match="FOUNDATION_"):
        reservations(tmp_path, "person")


def test_photos_in_a_folder_that_each_run_empties_are_left_alone(tmp_path: Path) -> None:
    selfies = tmp_path / "demo" / "selfies"
    selfies.mkdir(parents=True)
    (selfies / "me.jpg").touch()
    with pytest.raises(InvalidArgumentError, match=r"PHOTOS_IN_THE_WAY.*another folder"):
        run_demo(DemoOptions(out=tmp_path / "demo", engines=tmp_path / "engines", photos=selfies))
    assert (selfies / "me.jpg").exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "realistic-0123"),
        ("/home/me/realistic.safetensors", "realistic.safetensors"),
        ("org/name@v1", "org/name@v1"),
    ],
)
def test_a_foundation_is_shown_as_it_was_named_and_not_as_it_was_imported(name: str, shown: str) -> None:
    options = DemoOptions(Path("out"), Path("engines"), foundation=Path("/f/realistic-0123"), foundation_name=name)
    assert options.foundation_shown == shown


def test_folders_may_be_named_from_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "selfies").mkdir()
    (tmp_path / "notes.txt").touch()
    assert existing_folder("~/selfies") == tmp_path / "selfies"
    for wrong, why in (("~/nope", "is not there"), ("~/notes.txt", "is a file")):
        with pytest.raises(typer.BadParameter, match=why):
            existing_folder(wrong)


def test_memory_of_children_counts() -> None:
    hungry = "data = bytearray(200 * 2**20); print('full', flush=True); input()"
    with MemoryWatch() as watch:
        child = subprocess.Popen(
            [sys.executable, "-c", hungry], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while watch.peak_mb < 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        child.communicate("\n")
    assert watch.peak_mb > 200


def test_stages_count_when_they_are_done_and_lines_say_so() -> None:
    said = io.StringIO()
    with Display(Console(file=said, force_terminal=False, width=100)) as display:
        with display.stage("start", "Starting services") as shown:
            shown.update(1, 3, count="1/3")
        with pytest.raises(ZeroDivisionError), display.stage("train", "Training"):
            raise ZeroDivisionError
    assert [stage.name for stage in display.stages] == ["start"]
    assert "Starting services: 0.0 s" in said.getvalue()


def test_reports_have_their_keys_and_never_invent_a_likeness(tmp_path: Path) -> None:
    report.success(album(), total_seconds=99.5, engine_cached=True).write(tmp_path / "report.json")
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["ok"] is True
    assert written["train_seconds"] == 60.0
    assert written["images"] == 12
    assert written["seconds_per_image"] == 2.5
    assert written["total_seconds"] == 99.5
    assert written["foundation"] == "tiny-portrait"
    assert written["peak_rss_mb"] == 2048.0
    assert (written["accepted"], written["tries"], written["guarantee"]) == (11, 14, "NOT_MET")
    assert (written["shoot_seconds"], written["quoted_seconds"]) == (90.0, 100.0)
    assert written["likeness"] is None
    assert written["likeness_reason"].startswith("not measured: ")
    assert written["stages"] == {"start": 4.0, "upload": 0.5, "train": 60.0, "paint": 30.0}
    assert written["left_out"] == {}
    bad = replace(album(), left_out=[LeftOut("blurry.jpg", "BLURRY")], analyzer="an-analyzer")
    told = report.success(bad, total_seconds=1, engine_cached=True)
    assert told.left_out == {"blurry.jpg": "BLURRY"}
    assert told.likeness_reason == report.NO_FACE
    measured = report.success(replace(album(), likeness=0.7), total_seconds=1, engine_cached=True)
    assert (measured.likeness, measured.likeness_reason) == (0.7, None)
    failed = report.failure(
        "SERVICE_DIED: the trainer", foundation="f", person="Ada", stages=[], total_seconds=1, peak_rss_mb=1
    )
    assert (failed.ok, failed.images, failed.train_seconds) == (False, 0, None)
    assert (failed.photos, failed.left_out) == (0, {})
    assert (failed.accepted, failed.guarantee, failed.quoted_seconds) == (0, None, None)
    later = report.failure(
        "stopped",
        foundation="f",
        person="Ada",
        stages=[],
        total_seconds=1,
        peak_rss_mb=1,
        photos=6,
        left_out=[LeftOut("blurry.jpg", "BLURRY")],
    )
    assert (later.photos, later.left_out) == (6, {"blurry.jpg": "BLURRY"})


def test_reports_tell_of_remix_and_team_or_why_there_is_none() -> None:
    told = report.success(album(), total_seconds=1, engine_cached=True)
    assert (told.remix, told.remix_reason) == (None, "PORTRAITS_REFUSED: every portrait was refused")
    assert (told.team, told.team_reason) == (None, "ONE_PERSON: these photos are of one")
    more = replace(album(), remix=remixed(album().portraits[0]), team=one_look())
    told = report.success(more, total_seconds=1, engine_cached=True)
    assert told.remix == {"change": "BACKDROP", "words": "city at night", "accepted": True, "likeness": 0.87}
    assert told.team is not None
    counts = {name: told.team[name] for name in ("members", "portraits", "accepted", "outliers", "repaints")}
    assert counts == {"members": 3, "portraits": 2, "accepted": 2, "outliers": 1, "repaints": 2}
    assert (told.remix_reason, told.team_reason) == (None, None)
    broken = report.failure("stopped", foundation="f", person="Ada", stages=[], total_seconds=1, peak_rss_mb=1)
    assert (broken.remix, broken.remix_reason, broken.team_reason) == (None, report.NOT_REACHED, report.NOT_REACHED)


def test_the_callers_settings_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_DATABASE_URL", "postgresql://production")
    monkeypatch.setenv("HEADSHOTS_STORE_URL", "s3://production")
    assert not any(name.startswith("HEADSHOTS_") for name in without_settings(os.environ))
    assert "PATH" in without_settings(os.environ)


def test_a_checkout_comes_first_on_the_import_path_and_what_was_there_stays() -> None:
    given = {"PYTHONPATH": "/theirs", "HEADSHOTS_HOME": "/home/me"}
    assert without_settings(given, checkout=Path("/ours")) == {"PYTHONPATH": os.pathsep.join(["/ours", "/theirs"])}
    assert without_settings({}, checkout=Path("/ours")) == {"PYTHONPATH": "/ours"}
    assert without_settings(given) == {"PYTHONPATH": "/theirs"}


@pytest.mark.parametrize(
    ("heads", "frame"),
    [
        ("", Frame(96, 120, 0.45, 0.75)),
        ("head_height: 0.78\neye_line: 0.39\n", Frame(96, 120, 0.39, 0.94)),
    ],
)
def test_the_teams_frame_fits_what_the_foundation_paints(heads: str, frame: Frame, tmp_path: Path) -> None:
    described_foundation(tmp_path)
    (tmp_path / "headshots.yaml").write_text(f"width_px: 128\nheight_px: 128\n{heads}")
    assert frame_within(Foundation.read(tmp_path)) == frame
