"""A run that is stopped leaves the page of what it had finished, or that of the run before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headshots.console.exits import ExitCode
from headshots.demo import job
from headshots.demo.job import run_demo
from headshots.demo.options import DemoOptions
from headshots.demo.results.album import Album
from tests.support.images.albums import album


class Services:
    """Starts nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def has_package(self) -> bool:
        return True


class Stopped:
    """A run that is stopped by Ctrl-C, with `left` finished."""

    left: Album | None = None
    uploaded, left_out = 0, ()

    def __init__(self, *_: Any) -> None:
        pass

    async def album(self, package_is_there: bool) -> Album:
        raise KeyboardInterrupt

    def finished(self) -> Album | None:
        return self.left


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "DemoServices", Services)
    monkeypatch.setattr(job, "DemoRun", Stopped)


def test_what_was_finished_is_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stopped, "left", album())
    assert run_demo(DemoOptions(tmp_path, tmp_path / "engines")) is ExitCode.INTERRUPTED
    assert "<html" in (tmp_path / "gallery.html").read_text()
    assert len(list((tmp_path / "portraits").glob("*.png"))) == len(album().portraits)
    assert (tmp_path / "contact-sheet.png").exists()
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["ok"], report["error"], report["images"]) == (False, "stopped", 12)
    assert "shows what was finished: 12 portraits" in capsys.readouterr().err


def test_before_portraits_are_there_an_earlier_page_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gallery.html").write_text("earlier")
    assert run_demo(DemoOptions(tmp_path, tmp_path / "engines")) is ExitCode.INTERRUPTED
    assert (tmp_path / "gallery.html").read_text() == "earlier"
    assert "is an earlier run's" in capsys.readouterr().err
    assert json.loads((tmp_path / "report.json").read_text())["images"] == 0
