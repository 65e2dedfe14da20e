"""The analyzer learns on a toy budget: losses fall, runs resume, canvases tell the truth, the export answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from foundry import evaluate_analyzer
from foundry.analyzer_detecting import DetectorStage, face_geometry, target_maps
from foundry.analyzer_embedding import MEMORY_FROM_STEP, EmbedderStage, moved_by, off_by
from foundry.analyzer_faces import MARGIN, all_traits, prepare_faces
from foundry.analyzer_scenes import CanvasTruth, Scenes, compose, paste, prepare_scenes
from foundry.camera import as_camera_sees
from foundry.evaluate_analyzer import Recognition, match, rank1
from foundry.export_analyzer import export_analyzer, export_points, halved
from foundry.faces.families import MEMBERS, prepare_families
from foundry.faces.finding_points import PointsStage, point_scores, points_in_crops, points_moved
from foundry.faces.hard_pairs import roc_area
from foundry.faces.telling_apart import told_apart
from foundry.portraits import POINTS
from foundry.stages import Trainer, load_average, train
from foundry.training import Budget
from headshots.errors import FailedPreconditionError
from headshots.faces import Face, Part
from headshots.faces.bundled import (
    DETECTOR_FILE,
    EMBEDDER_FILE,
    POINTS_FILE,
    REGULARITY_FILE,
    SETTINGS_FILE,
    BundledAnalyzer,
)
from headshots.faces.detection import SIDE, detections
from headshots.faces.geometry import CROP, TEMPLATE, align, to_planes
from headshots.faces.regularity import Regularity
from headshots.settings import default_analyzer

FAMILIES, PORTRAITS = 6, 12
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("analyzer")


@pytest.fixture(scope="module")
def scenes(work: Path) -> Scenes:
    return prepare_scenes(work, PORTRAITS)


def embedder_stage(work: Path) -> EmbedderStage:
    return EmbedderStage(work, FAMILIES, seed=3, device=CPU, families_a_step=3)


def detector_stage(work: Path) -> DetectorStage:
    return DetectorStage(work, PORTRAITS, seed=3, device=CPU, rows=8)


def points_stage(work: Path) -> PointsStage:
    return PointsStage(work, FAMILIES, seed=3, device=CPU, rows=8)


def test_nets_learn_resume_and_become_an_analyzer(work: Path, scenes: Scenes, tmp_path: Path) -> None:
    for make in (embedder_stage, detector_stage):
        trainer = Trainer(make(work), work)
        losses = train(trainer, Budget(None, 16), save_every=1e9)
        assert np.mean(losses[-4:]) < np.mean(losses[:4])
        resumed = Trainer(make(work), work)
        assert resumed.resume()
        assert resumed.step == 16
        assert resumed.take_step(0.5) == pytest.approx(trainer.take_step(0.5), rel=1e-5)
    analyzer = export_analyzer(work, tmp_path, people=3)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4e6
    assert analyzer.labels(scenes.pixels[0]).shape == (SIDE, SIDE)
    assert analyzer.name == BundledAnalyzer(tmp_path).name
    upright = Face((0, 0, CROP, CROP), TEMPLATE, np.zeros(1, np.float32), 1.0)
    assert analyzer.irregularity(scenes.pixels[0], upright) is None, "no points were trained"
    (tmp_path / REGULARITY_FILE).write_bytes(b"")
    with pytest.raises(FailedPreconditionError, match=POINTS_FILE):
        BundledAnalyzer(tmp_path)


def test_points_learn_resume_and_tell_how_regular_a_face_is(work: Path, tmp_path: Path) -> None:
    trainer = Trainer(points_stage(work), tmp_path)
    losses = train(trainer, Budget(None, 24), save_every=1e9)
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    resumed = Trainer(points_stage(work), tmp_path)
    assert resumed.resume()
    assert resumed.take_step(0.5) == pytest.approx(trainer.take_step(0.5), rel=1e-5)
    for name in (DETECTOR_FILE, EMBEDDER_FILE, SETTINGS_FILE):
        (tmp_path / name).write_bytes((default_analyzer() / name).read_bytes())
    known = BundledAnalyzer(tmp_path)
    export_points(known, tmp_path, tmp_path, people=8)
    analyzer = BundledAnalyzer(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir() if path.suffix != ".pt") < 4e6
    pixels = prepare_families(work, FAMILIES).pictures[0, 0]
    face = analyzer.faces(pixels)[0]
    told = analyzer.irregularity(pixels, face)
    assert told is not None
    finder = trainer.stage.models["points"].eval()
    crop = torch.from_numpy(to_planes(align(pixels, face.landmarks)[None]))
    load_average(finder, tmp_path, "points")
    assert np.allclose(analyzer.points(pixels, face), finder(crop)[0].detach(), atol=0.1)
    learned = Regularity.load(tmp_path / REGULARITY_FILE)
    assert told == pytest.approx(float(learned.distances(analyzer.points(pixels, face)[None])[0]) / learned.limit)
    scores = point_scores(analyzer, 3)
    assert scores["point_error_px_close"] > 0
    assert {"regular_close", "regular_broken_close"} <= scores.keys()
    assert point_scores(known, 3) == {}


def test_a_net_without_a_checkpoint_is_kept_and_without_a_graph_too_it_is_named(work: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"detector\.onnx.*keep that one"):
        export_analyzer(tmp_path, tmp_path / "out", people=1)
    for name in (DETECTOR_FILE, EMBEDDER_FILE):
        (tmp_path / name).write_bytes((default_analyzer() / name).read_bytes())
    assert export_analyzer(tmp_path, tmp_path, people=1).name == BundledAnalyzer(default_analyzer()).name


def test_true_points_are_where_the_crops_show_them(work: Path) -> None:
    """Pupils of upright faces are at the template's eyes, and a point moves as what it is on does."""
    points_FMK2 = points_in_crops(work, FAMILIES) * (CROP + 2 * MARGIN) - MARGIN
    for side, place in zip(("left", "right"), TEMPLATE[:2], strict=True):
        pupils = points_FMK2[:, :, POINTS.index(f"{side} eye pupil")]
        assert np.abs(pupils - place).max() < 6
        assert np.abs(pupils.mean((0, 1)) - place).max() < 1.5
    side = CROP + 2 * MARGIN
    dot = torch.zeros(1, 3, side, side)
    dot[:, :, 40:43, 60:63] = 1
    matrix = off_by(1, torch.Generator().manual_seed(4))
    row, column = np.unravel_index(int(moved_by(dot, matrix)[0, 0].argmax()), (CROP, CROP))
    found = points_moved(torch.tensor([[[61.5 / side, 41.5 / side]]]), matrix)[0, 0] * CROP
    assert found.tolist() == pytest.approx([column + 0.5, row + 0.5], abs=0.8)


def test_a_stage_learns_the_same_again(work: Path, scenes: Scenes) -> None:
    first, second = (float(embedder_stage(work).loss(5).item()) for _ in range(2))
    assert first == second
    assert float(embedder_stage(work).loss(6).item()) != first
    first, second = (float(detector_stage(work).loss(5).item()) for _ in range(2))
    assert first == second


def test_the_memory_holds_strangers_only(work: Path) -> None:
    stage = embedder_stage(work)
    stage.loss(MEMORY_FROM_STEP - 1)
    assert len(stage.memory) == 0
    stage.loss(MEMORY_FROM_STEP)
    assert len(stage.memory) == stage.families_a_step * len(MEMBERS)
    assert len(stage.remembered.unique()) == stage.families_a_step * (max(MEMBERS) + 1)
    vectors = stage.memory[:4].clone()
    people = torch.tensor([1, 1, 2, 2])
    alone = told_apart(vectors, people, vectors, people)
    beside = told_apart(vectors, people, vectors, torch.tensor([1, 1, 1, 1]))
    assert float(beside.item()) > float(alone.item()), "a stranger in the memory counts"


def test_crops_are_upright_and_traits_are_standard(work: Path) -> None:
    faces = prepare_faces(work, FAMILIES)
    assert faces.shape == (FAMILIES, len(MEMBERS), CROP + 2 * MARGIN, CROP + 2 * MARGIN, 3)
    traits = all_traits(100)
    assert np.abs(traits.mean((0, 1))).max() < 1e-3
    assert np.isfinite(traits).all()
    assert traits.shape[2] > 60


def test_the_camera_changes_pictures_a_row_each_and_stays_in_range() -> None:
    pixels = torch.linspace(-1, 1, 3 * 16 * 16).reshape(1, 3, 16, 16).repeat(6, 1, 1, 1)
    seen = as_camera_sees(pixels, torch.Generator().manual_seed(1))
    assert seen.shape == pixels.shape
    assert float(seen.abs().max()) <= 1
    assert not torch.equal(seen[0], seen[1])
    assert torch.equal(seen, as_camera_sees(pixels, torch.Generator().manual_seed(1)))


def test_canvases_are_varied_and_their_truth_fits(scenes: Scenes) -> None:
    rng = np.random.default_rng(0)
    canvases = [compose(scenes, rng) for _ in range(80)]
    counts = {sum(shown >= 0.4 for shown in canvas.shown) for canvas in canvases}
    assert {0, 1, 2} <= counts
    assert any(place[:2].min() < 0 or place[:2].max() > SIDE for canvas in canvases for place in canvas.places)
    for canvas in canvases:
        assert canvas.pixels.shape == (SIDE, SIDE, 3)
        for place, shown in zip(canvas.places, canvas.shown, strict=True):
            nose = place[4].astype(int)
            if shown > 0.99 and np.all(nose >= 0) and np.all(nose < SIDE):
                assert canvas.parts[nose[1], nose[0]] == Part.FACE


def test_what_a_later_portrait_covers_no_longer_shows(scenes: Scenes) -> None:
    empty = CanvasTruth(np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8), [], [])
    paste(empty, scenes, 0, 0.5, 0, 0)
    paste(empty, scenes, 1, 0.5, 64, 0)
    assert empty.shown == [pytest.approx(1), pytest.approx(1)]
    paste(empty, scenes, 2, 0.5, 0, 0)
    assert empty.shown[0] == pytest.approx(0)
    assert empty.shown[1:] == [pytest.approx(1), pytest.approx(1)]


def test_perfect_maps_give_the_faces_back(scenes: Scenes) -> None:
    canvas = CanvasTruth(np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8), [], [])
    for column in range(2):
        paste(canvas, scenes, column, 0.5, 64 * column, 20)
    heat, counts, geometry, known = target_maps(canvas)
    assert counts.min() == 1
    assert known.sum() == 18
    found = sorted(detections(heat, geometry, 0.9), key=lambda face: float(face.corners_22[0, 0]))
    for face, place in zip(found, canvas.places, strict=True):
        assert np.allclose(face.corners_22, place[:2], atol=1e-3)
        assert np.allclose(face.landmarks_52, place[2:], atol=1e-3)


def test_half_hidden_faces_are_neither_right_nor_wrong(scenes: Scenes) -> None:
    canvas = CanvasTruth(np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8), [], [])
    middle = float(scenes.places[0, :2, 0].mean())
    width = float(scenes.places[0, 1, 0] - scenes.places[0, 0, 0])
    paste(canvas, scenes, 0, 1.0, -middle - 0.2 * width, 0)
    assert 0.15 < canvas.shown[0] < 0.4
    heat, counts, _, known = target_maps(canvas)
    assert heat.max() == 0
    assert known.sum() == 0
    assert counts.min() == 0


def test_geometry_is_relative_to_the_cell() -> None:
    place = np.concatenate([[[0, 0], [80, 80]], TEMPLATE]).astype(np.float32)
    first, second = face_geometry(place, 9, 9), face_geometry(place, 10, 9)
    assert first[0] == pytest.approx(second[0] + 1)
    assert np.allclose(first[1:], second[1:])


def test_halved_weights_stay_close() -> None:
    weights = np.linspace(-1, 1, 256, dtype=np.float32).reshape(16, 16)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "one",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 16])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 16])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    model = onnx.helper.make_model(graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 18)])
    small = halved(onnx.ModelProto.FromString(model.SerializeToString()))
    assert len(small.SerializeToString()) < 0.8 * len(model.SerializeToString())
    x = np.ones((1, 16), np.float32)
    (told,) = ort.InferenceSession(small.SerializeToString()).run(None, {"x": x})
    assert np.allclose(told, x @ weights, atol=1e-2)


def test_scores_tell_perfect_from_hopeless() -> None:
    people = np.eye(6, dtype=np.float32)[:, None].repeat(4, 1)
    perfect = Recognition(people).scores(0.5)
    assert (perfect["roc_auc"], perfect["rank1"], perfect["false_match_rate"]) == (1, 1, 0)
    lost = people.copy()
    lost[2, 1:] = 0
    assert Recognition(lost).scores(0.5)["rank1"] == pytest.approx(5 / 6)
    assert roc_area(np.zeros(4, np.float32), np.zeros(9, np.float32)) == pytest.approx(0.5)
    assert rank1(people[:, 0], np.roll(people, 1, axis=0)) == 0


def test_a_found_face_matches_one_true_place_only() -> None:
    place = np.concatenate([[[10, 10], [50, 60]], TEMPLATE]).astype(np.float32)
    nothing = np.zeros(1, np.float32)
    near, far = (Face((left, 10, left + 40, 60), np.zeros((5, 2), np.float32), nothing, 0.9) for left in (12.0, 90.0))
    pairs, spare = match([place, place], [near, far])
    assert [face for _, face in pairs] == [near]
    assert spare == [far]


def test_the_command_writes_scores(work: Path, scenes: Scenes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for make in (embedder_stage, detector_stage):
        if not (work / f"analyzer_{make(work).name}.pt").exists():
            train(Trainer(make(work), work), Budget(None, 2))
    export_analyzer(work, tmp_path, people=2)
    sizes = ["--people", "3", "--scenes", "3", "--canvases", "4"]
    monkeypatch.setattr("sys.argv", ["evaluate_analyzer", "--analyzer", str(tmp_path), *sizes])
    evaluate_analyzer.main()
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["people"] == 3
    assert 0 <= scores["rank1"] <= 1
    assert {"roc_auc", "precision", "recall", "box_iou", "mask_iou_hair", "cpu_milliseconds"} <= scores.keys()
