"""The demo looks at real people with the analyzer for them, and brings it where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headshots.demo.analyzer import Analyzer, choose
from headshots.errors import FailedPreconditionError
from headshots.faces.people.installing import install as installing
from headshots.settings import default_foundation


class Stages:
    def __init__(self) -> None:
        self.entered = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.entered += 1
        yield


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The folders that are installed into, below a home of the test's."""
    folders: list[Path] = []
    monkeypatch.setenv("HEADSHOTS_HOME", str(tmp_path))
    monkeypatch.setattr(installing, "install", lambda folder, *rest: folders.append(folder))
    return folders


def test_drawn_people_are_looked_at_by_the_bundled_one(installed: list[Path]) -> None:
    assert choose(default_foundation(), None, Stages()) == Analyzer("bundled")
    assert installed == []


def test_for_any_other_foundation_the_one_for_real_people_is_installed(installed: list[Path], tmp_path: Path) -> None:
    stages, folder = Stages(), tmp_path / "analyzers" / "people"
    for foundation, wanted in ((tmp_path, None), (tmp_path, "people"), (default_foundation(), "people")):
        assert choose(foundation, wanted, stages) == Analyzer("people", folder)
    assert installed == [folder] * 3
    assert stages.entered == 3


def test_nobody_is_looked_at_where_that_is_wanted(installed: list[Path], tmp_path: Path) -> None:
    assert choose(tmp_path, "none", Stages()) == Analyzer("none")
    assert installed == []


def test_what_cannot_be_installed_is_no_reason_to_look_at_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*given: object) -> None:
        raise FailedPreconditionError("PACKAGE_MISSING", "no network")

    monkeypatch.setenv("HEADSHOTS_HOME", str(tmp_path))
    monkeypatch.setattr(installing, "install", fail)
    with pytest.raises(FailedPreconditionError, match="PACKAGE_MISSING"):
        choose(tmp_path, None, Stages())
