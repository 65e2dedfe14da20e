"""The benchmark of the analyzer for real people measures all that it names, and tells which verdicts are wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.people import __main__ as bench
from benchmarks.people import judging, traits
from benchmarks.people.photos import COLLINS
from benchmarks.people.report import TARGETS
from tests.support.faces.installed import astronaut, people_folder


def photo_of(name: str) -> bytes:
    """Both the same one: nobody is a stranger."""
    content = io.BytesIO()
    Image.fromarray(astronaut() if name == COLLINS else astronaut()[:300]).save(content, "PNG")
    return content.getvalue()


def test_it_measures_all_and_names_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in (judging, traits):
        monkeypatch.setattr(part, "bring_photo", photo_of)
    own = tmp_path / "people" / "somebody"
    own.mkdir(parents=True)
    (own / "a.png").write_bytes(photo_of(COLLINS))
    words = ["--quick", "--analyzer", str(people_folder()), "--folder", str(own.parent), "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["bench", *words])
    assert bench.main() == 0, "a quick pass asks nothing"
    found = json.loads((tmp_path / "people.json").read_text("utf-8"))
    assert [key for key, value in found["figures"].items() if value is None] == ["install_seconds"]
    assert set(found["figures"]) == set(TARGETS)
    assert found["faces"]["people"] == 3
    assert (found["met"]["separation"], found["met"]["verdicts_right"]) == (False, False)
    assert "somebody 0: DIFFERENT_PERSON" in capsys.readouterr().out
