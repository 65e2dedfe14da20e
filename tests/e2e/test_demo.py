"""`headshots demo` as a user runs it, with a tiny foundation: what it leaves when it ends well, badly or early."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pytest
import yaml
from PIL import Image

from benchmarks.people.derived import Head, good_ones
from headshots.faces import open_analyzer
from tests.support.faces.installed import astronaut, people_folder
from tests.support.foundations.clip import clip_links
from tests.support.foundations.engines import scratch, tiny_foundation
from tests.support.foundations.single_files import write_single
from tests.support.images.pictures import backdrop, packed
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS

STYLES = ["studio-navy-suit", "park-denim-jacket"]
PHOTOGRAPHIC = ["corporate-navy-blazer-lobby", "casual-denim-jacket"]


def start_demo(
    out: Path,
    *arguments: str,
    photos: Path | None = None,
    home: Path | None = None,
    foundation: Path | None = None,
    variables: Mapping[str, str] | None = None,
    styles: Sequence[str] = STYLES,
) -> subprocess.Popen[str]:
    """The command, with engine packages shared by the tests of this file."""
    command = [
        sys.executable,
        "-m",
        "tests.support.ports",
        "headshots",
        "demo",
        "--out",
        str(out),
        "--engines",
        str(scratch() / "demo-engines"),
    ]
    command += ["--foundation", str(foundation or tiny_foundation()), "--shots", "2"]
    if "--faces" not in arguments:
        command += ["--faces", "none"]
    command += [word for style in styles for word in ("--style", style)]
    if photos is not None:
        command += ["--photos", str(photos)]
    # A database that the caller's own set-up names must stay untouched.
    environment = {**os.environ, "HEADSHOTS_DATABASE_URL": "sqlite:////nonexistent/never-opened.db"}
    environment |= {"HEADSHOTS_HOME": str(home)} if home is not None else {}
    # The tiny foundation reads few tokens, of which whole prompts are too many.
    environment |= {"HEADSHOTS_GATEWAY_STYLES": str(ROOT / "styles")} if styles is STYLES else {}
    environment |= variables or {}
    return subprocess.Popen([*command, *arguments], env=environment, stderr=subprocess.PIPE, text=True)


def photo_folder(folder: Path) -> Path:
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(packed(backdrop(number), "JPEG"))
    return folder


def selfies_of_an_astronaut(folder: Path) -> Path:
    folder.mkdir()
    analyzer = open_analyzer("people", people_folder())
    assert analyzer is not None
    for number, picture in enumerate(good_ones(Head.find(Image.fromarray(astronaut()), analyzer))):
        picture.save(folder / f"{number}.png")
    return folder


def read_report(out: Path) -> dict[str, object]:
    report = json.loads((out / "report.json").read_text())
    assert isinstance(report, dict)
    return report


def descendants_named(out: Path) -> list[psutil.Process]:
    """Processes that still work in the demo's home."""
    left = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HEADSHOTS_HOME") == str(out / "home"):
                left.append(process)
        except psutil.Error:
            continue  # gone, or another user's
    return left


def test_a_real_persons_demo_leaves_page_sheet_and_report_and_no_process(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    photos = selfies_of_an_astronaut(tmp_path / "eileen")
    (photos / "broken.jpg").write_text("not an image")
    process = start_demo(out, "--faces", "people", photos=photos, home=people_folder().parent.parent)
    _, said = process.communicate(timeout=3 * PATIENCE_SECONDS)
    assert process.returncode == 0, said
    assert "broken.jpg is left out: this is not an image" in said
    report = read_report(out)
    assert report["ok"] is True
    assert report["error"] is None
    assert report["images"] == 4
    assert report["photos"] == 8
    assert report["left_out"] == {"broken.jpg": "UNDECODABLE"}
    assert report["person"] == "eileen"
    # The foundation paints noise.
    assert report["likeness"] == 0
    assert str(report["remix_reason"]).startswith("PORTRAITS_REFUSED: ")
    assert str(report["team_reason"]).startswith("ONE_PERSON: ")
    assert (report["remix"], report["team"]) == (None, None)
    stages = report["stages"]
    assert isinstance(stages, dict)
    assert {"selfies", "export", "start", "inspect", "upload", "train", "paint"} <= stages.keys()
    assert report["train_seconds"] == stages["train"]
    assert 100 < float(str(report["peak_rss_mb"])) < 4096
    page = (out / "gallery.html").read_text()
    # Each portrait twice: as it stands on the page, and enlarged.
    assert page.count("<img ") == 8 + 2 * 4
    assert "http" not in page.replace("http-equiv", "")
    assert page.index("Not remixed") < page.index("PORTRAITS_REFUSED") < page.index("No team")
    assert len(list((out / "portraits").glob("*.png"))) == 4
    assert len(list((out / "portraits" / "selfies").glob("*.jpg"))) == 8
    with Image.open(io.BytesIO((out / "contact-sheet.png").read_bytes())) as sheet:
        assert sheet.width > 300
    assert "gallery.html" in said
    assert descendants_named(out) == []


@pytest.mark.slow
def test_a_newcomers_photos_and_one_downloaded_file_are_all_that_is_needed(tmp_path: Path) -> None:
    """Import, CLIP's vocabulary, analyzer, engine and services by themselves; some minutes, for the recipe's steps."""
    home, photos = people_folder().parent.parent, selfies_of_an_astronaut(tmp_path / "eileen")
    size = {"modelspec.resolution": "64x64"}
    file = write_single(tmp_path / "portraits-xl.safetensors", "sdxl", half=True, all_words=True, **size)
    out = tmp_path / "demo"
    process = start_demo(
        out,
        "--faces",
        "people",
        photos=photos,
        home=home,
        foundation=file,
        variables={"PIP_FIND_LINKS": str(clip_links())},
        styles=PHOTOGRAPHIC,
    )
    _, said = process.communicate(timeout=6 * PATIENCE_SECONDS)
    assert process.returncode == 0, said
    report = read_report(out)
    assert (report["ok"], report["images"], report["photos"]) == (True, 4, 8)
    assert report["foundation"] == "portraits-xl.safetensors"
    page = (out / "gallery.html").read_text()
    for figure in ("portraits-xl.safetensors", "the built-in styles for photographs"):
        assert f"<dd>{figure}</dd>" in page
    assert "<dt>Face analyzer</dt><dd>people-" in page
    # The foundation paints noise, in which there is no face.
    assert "4 portraits are refused" in page
    assert "<dt>Accepted</dt><dd>0 of 4</dd>" in page
    assert (home / "foundations").is_dir()


def test_too_few_usable_photos_fail_the_demo_before_anything_is_trained(tmp_path: Path) -> None:
    out, photos = tmp_path / "demo", photo_folder(tmp_path / "few")
    out.mkdir()
    (out / "gallery.html").write_text("of an earlier run")
    for file in sorted(photos.iterdir())[:3]:
        file.unlink()
    process = start_demo(out, photos=photos)
    _, said = process.communicate(timeout=3 * PATIENCE_SECONDS)
    assert process.returncode == 4, said
    assert "PHOTOS_NOT_READY: 3 photos are usable, a training needs 6" in said
    assert "headshots photos inspect" not in said, "there is no gateway any more that it could ask"
    report = read_report(out)
    assert report["ok"] is False
    assert "PHOTOS_NOT_READY" in str(report["error"])
    assert "train" not in dict(report["stages"])  # type: ignore[call-overload]
    assert (out / "gallery.html").read_text() == "of an earlier run"
    assert "gallery.html is an earlier run's" in said
    assert descendants_named(out) == []


def test_a_style_that_is_not_there_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    process = start_demo(out, "--style", "nosuch", photos=photo_folder(tmp_path / "ada"))
    _, said = process.communicate(timeout=3 * PATIENCE_SECONDS)
    assert process.returncode == 4, said
    assert "STYLE_NOT_FOUND: there is no style nosuch; there are " in said
    assert {"inspect", "train"}.isdisjoint(dict(read_report(out)["stages"]))  # type: ignore[call-overload]


def test_a_demo_that_is_stopped_stops_what_it_started(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    # Of the same name and weights, so that the package of the others is its too; its trainings last for long.
    foundation = Path(shutil.copytree(tiny_foundation(), tmp_path / tiny_foundation().name))
    settings = yaml.safe_load((foundation / "headshots.yaml").read_text())
    settings["training"]["steps"] = 10_000
    (foundation / "headshots.yaml").write_text(yaml.safe_dump(settings))
    process = start_demo(out, "--foundation", str(foundation), photos=photo_folder(tmp_path / "ada"))
    trainer_log = out / "logs" / "trainer.log"
    deadline = time.monotonic() + 3 * PATIENCE_SECONDS
    while not (trainer_log.exists() and "attempt 1" in trainer_log.read_text()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(descendants_named(out)) >= 3
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, said
    report = read_report(out)
    assert report["ok"] is False
    assert report["photos"] == 6
    assert descendants_named(out) == []


def test_a_folder_that_is_no_foundation_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    (tmp_path / "empty").mkdir()
    process = start_demo(out, "--foundation", str(tmp_path / "empty"))
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 4, said
    assert "FOUNDATION_" in said
    assert "Traceback" not in said
    assert not out.exists(), "nothing was started"
