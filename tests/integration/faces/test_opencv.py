"""The opencv analyzer with the real OpenCV, and stand-ins for both nets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from headshots.errors import FailedPreconditionError
from headshots.faces import FaceAnalyzer, Pixels, open_analyzer
from tests.support.images.opencv_graphs import LANDMARKS, write_detector, write_recognizer


@pytest.fixture
def analyzer(tmp_path: Path) -> FaceAnalyzer:
    write_detector(tmp_path / "face_detection_yunet_2023mar.onnx")
    write_recognizer(tmp_path / "face_recognition_sface_2021dec.onnx")
    found = open_analyzer("opencv", tmp_path)
    assert found is not None
    return found


def picture(height: int, width: int, *squares: tuple[int, int, int]) -> Pixels:
    """Red squares (left, top, side), each with a mark that no other has, on black."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for number, (left, top, side) in enumerate(squares):
        pixels[top : top + side, left : left + side, 0] = 255
        mark = slice(top + side // 4, top + side // 2)
        pixels[mark, left + number * side // 4 : left + (number + 1) * side // 4, 1] = 90
    return pixels


@pytest.mark.parametrize(
    ("height", "width", "square"),
    [(640, 640, (96, 320, 32)), (480, 640, (128, 64, 32)), (100, 120, (64, 32, 32)), (1280, 960, (320, 640, 64))],
)
def test_a_face_is_where_it_is_in_photos_of_any_size(
    analyzer: FaceAnalyzer, height: int, width: int, square: tuple[int, int, int]
) -> None:
    left, top, side = square
    (face,) = analyzer.faces(picture(height, width, square))
    assert face.box == pytest.approx((left, top, left + side, top + side), abs=0.1)
    expected = np.reshape(LANDMARKS, (5, 2)) * side + (left, top)
    np.testing.assert_allclose(face.landmarks, expected, atol=0.1)
    assert face.score > 0.99
    assert face.embedding.shape == (128,)
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)


def test_two_faces_have_embeddings_of_their_own(analyzer: FaceAnalyzer) -> None:
    one, other = analyzer.faces(picture(320, 320, (32, 32, 32), (192, 128, 32)))
    assert not np.allclose(one.embedding, other.embedding)


def test_a_picture_without_faces_has_none(analyzer: FaceAnalyzer) -> None:
    assert analyzer.faces(picture(300, 200)) == []


def test_threads_may_share_it(analyzer: FaceAnalyzer) -> None:
    pictures = [picture(160 + 32 * number, 320, (32 * number, 64, 32)) for number in range(4)] * 3
    alone = [analyzer.faces(pixels)[0].box for pixels in pictures]
    with ThreadPoolExecutor(4) as threads:
        together = [faces[0].box for faces in threads.map(analyzer.faces, pictures)]
    assert together == alone


def test_a_file_that_is_no_net_is_refused(tmp_path: Path) -> None:
    (tmp_path / "face_detection_yunet_2023mar.onnx").write_bytes(b"no net")
    write_recognizer(tmp_path / "face_recognition_sface_2021dec.onnx")
    with pytest.raises(FailedPreconditionError, match="ANALYZER_UNUSABLE"):
        open_analyzer("opencv", tmp_path)
