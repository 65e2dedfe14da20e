"""Analyzers by name: what opens, what is refused with which cure, and OpenCV's nets behind a stand-in for cv2.

The real YuNet and SFace files are no part of the repository: what OpenCV answers with them is not tested here, only
that its documented rows are read rightly and that it is called as documented.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.faces.bundled import DETECTOR_FILE, EMBEDDER_FILE, SETTINGS_FILE
from headshots.faces.people.files import write_manifest

YUNET, SFACE = "face_detection_yunet_2023mar.onnx", "face_recognition_sface_2021dec.onnx"


class FakeCV2(SimpleNamespace):
    """The corner of cv2 that the analyzer uses. Faces are rows as OpenCV documents them."""

    INTER_AREA = 3

    class error(Exception):  # cv2's own name
        """Raised for files that OpenCV cannot load."""

    def __init__(self, rows: np.ndarray | None, fails: bool = False) -> None:
        super().__init__()
        self.rows, self.fails, self.calls = rows, fails, []
        self.FaceDetectorYN = SimpleNamespace(create=self.create_detector)
        self.FaceRecognizerSF = SimpleNamespace(create=self.create_recognizer)

    def create_detector(self, *arguments: Any) -> Any:
        if self.fails:
            raise self.error("not an ONNX file")
        self.calls.append(("detector", *arguments))
        return SimpleNamespace(setInputSize=lambda size: self.calls.append(("size", size)), detect=self.detect)

    def create_recognizer(self, *arguments: Any) -> Any:
        self.calls.append(("recognizer", *arguments))
        return SimpleNamespace(alignCrop=self.align_crop, feature=lambda crop: crop.astype(np.float32)[None])

    def resize(self, pixels: np.ndarray, size: tuple[int, int], interpolation: int) -> np.ndarray:
        return np.broadcast_to(pixels[0, 0], (size[1], size[0], 3))

    def detect(self, pixels: np.ndarray) -> tuple[int, np.ndarray | None]:
        self.calls.append(("pixel", tuple(pixels[0, 0].tolist()), pixels.shape))
        return 1, self.rows

    def align_crop(self, pixels: np.ndarray, row: np.ndarray) -> np.ndarray:
        self.calls.append(("align", pixels.shape))
        return np.array([row[2], 0.0, row[3], 0.0])


def row(x: float, y: float, width: float, height: float, score: float = 0.95) -> list[float]:
    places = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    marks = [value for across, down in places for value in (x + across * width, y + down * height)]
    return [x, y, width, height, *marks, score]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    for name in (YUNET, SFACE):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def opencv(monkeypatch: pytest.MonkeyPatch, folder: Path, rows: list[list[float]] | None) -> tuple[FaceAnalyzer, Any]:
    cv2 = FakeCV2(None if rows is None else np.array(rows, np.float32))
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    analyzer = open_analyzer("opencv", folder)
    assert analyzer is not None
    return analyzer, cv2


def test_none_is_no_analyzer() -> None:
    assert open_analyzer("none", None) is None


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidArgumentError, match="bundled, people, opencv, none") as caught:
        open_analyzer("insightface", None)
    assert caught.value.reason == "ANALYZER_UNKNOWN"


@pytest.mark.parametrize("present", [(), (SETTINGS_FILE,), (SETTINGS_FILE, DETECTOR_FILE, EMBEDDER_FILE)])
def test_a_bundled_analyzer_without_its_files_says_what_it_needs(tmp_path: Path, present: tuple[str, ...]) -> None:
    for name in present:
        (tmp_path / name).write_text('{"same_person_from": 0.5, "sure_from": 0.4}')
    with pytest.raises(FailedPreconditionError, match=r"embedder\.onnx") as caught:
        open_analyzer("bundled", tmp_path)
    assert caught.value.reason == "ANALYZER_UNUSABLE"


def test_people_says_what_to_type_where_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match="the people analyzer needs the folder"):
        open_analyzer("people", None)
    with pytest.raises(FailedPreconditionError, match="run `headshots analyzers install people --out ") as caught:
        open_analyzer("people", tmp_path)
    assert caught.value.reason == "ANALYZER_NOT_INSTALLED"
    write_manifest(tmp_path, {})
    (tmp_path / "analyzer.json").write_text((tmp_path / "analyzer.json").read_text().replace("{}", '{"net.onnx": "0"}'))
    with pytest.raises(FailedPreconditionError, match=f"install people --out {tmp_path}") as caught:
        open_analyzer("people", tmp_path)
    assert caught.value.reason == "ANALYZER_UNUSABLE"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "headshots.faces.people.analyzer", raising=False)
    monkeypatch.delitem(sys.modules, "headshots.faces.sessions", raising=False)
    with pytest.raises(FailedPreconditionError, match=r"people analyzer .*pip install 'headshots\[faces\]'"):
        open_analyzer("people", tmp_path)


def test_opencv_needs_a_folder_and_its_package(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgumentError, match="YuNet"):
        open_analyzer("opencv", None)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(FailedPreconditionError, match=r"pip install 'headshots\[opencv\]'") as caught:
        open_analyzer("opencv", weights)
    assert caught.value.reason == "ANALYZER_NEEDS_PACKAGE"


@pytest.mark.parametrize("missing", [YUNET, SFACE])
def test_opencv_names_the_file_that_is_missing(weights: Path, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (weights / missing).unlink()
    monkeypatch.setitem(sys.modules, "cv2", FakeCV2(None))
    with pytest.raises(FailedPreconditionError, match=missing.rsplit("_", 1)[0]) as caught:
        open_analyzer("opencv", weights)
    assert caught.value.reason == "ANALYZER_UNUSABLE"


def test_opencv_refuses_two_versions_of_a_file(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (weights / "face_detection_yunet_2026.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "cv2", FakeCV2(None))
    with pytest.raises(FailedPreconditionError, match="exactly one"):
        open_analyzer("opencv", weights)


def test_files_that_opencv_cannot_load_are_named(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", FakeCV2(None, fails=True))
    with pytest.raises(FailedPreconditionError, match=YUNET):
        open_analyzer("opencv", weights)


def test_opencv_rows_become_faces_largest_first(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analyzer, cv2 = opencv(monkeypatch, weights, [row(10, 20, 30, 40, 0.9), row(100, 50, 80, 90, 0.99)])
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[..., 0] = 7  # red, which OpenCV wants last
    large, small = analyzer.faces(pixels)
    assert large.box == pytest.approx((100, 50, 180, 140))
    assert small.box == pytest.approx((10, 20, 40, 60))
    assert small.landmarks[0] == pytest.approx((10 + 0.3 * 30, 20 + 0.4 * 40))
    assert small.landmarks[0, 0] < small.landmarks[1, 0]
    assert small.score == pytest.approx(0.9)
    assert small.embedding == pytest.approx(np.array([0.6, 0, 0.8, 0]))
    assert ("size", (300, 200)) in cv2.calls
    assert ("pixel", (0, 0, 7), (200, 300, 3)) in cv2.calls
    assert analyzer.parts(pixels) is None
    assert analyzer.same_person_from == 0.363
    assert SFACE.removesuffix(".onnx") in analyzer.name


def test_opencv_finds_faces_in_a_small_copy_and_embeds_the_photo(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyzer, cv2 = opencv(monkeypatch, weights, [row(10, 20, 30, 40)])
    (face,) = analyzer.faces(np.zeros((960, 1280, 3), np.uint8))
    assert face.box == pytest.approx((20, 40, 80, 120))
    assert face.landmarks[2] == pytest.approx((2 * 25, 2 * 44))
    assert ("size", (640, 480)) in cv2.calls
    assert ("align", (960, 1280, 3)) in cv2.calls


def test_opencv_without_faces_answers_none_of_them(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    analyzer, _ = opencv(monkeypatch, weights, None)
    assert analyzer.faces(np.zeros((64, 64, 3), np.uint8)) == []


def test_analyzers_import_neither_torch_nor_the_foundry() -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'onnx', 'diffusers', 'transformers', 'foundry', 'cv2'): sys.modules[name] = None\n"
        "import headshots.faces, headshots.faces.bundled, headshots.faces.opencv, headshots.faces.people.analyzer\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
