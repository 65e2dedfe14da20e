"""Exports checkpoints to `models/portrait-analyzer`: ONNX graphs with fp16 weights, `analyzer.json`, `regularity.npz`.

`python -m foundry.export_analyzer --work DIR --out models/portrait-analyzer` takes the averaged weights of whatever
training has left so far. The similarity that makes two faces one person comes from people that neither training nor
`foundry.evaluate_analyzer` ever shows.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from foundry.analyzer import Detector, FaceEmbedder, PointFinder
from foundry.faces.finding_points import REGULAR_PEOPLE, regularity_of_renders
from foundry.portraits import FIRST_HELD_OUT, render, sample_identity, sample_scene
from foundry.progress import tqdm
from foundry.stages import load_average
from headshots.faces.base import FaceAnalyzer
from headshots.faces.bundled import (
    DETECTOR_FILE,
    EMBEDDER_FILE,
    POINTS_FILE,
    REGULARITY_FILE,
    SETTINGS_FILE,
    BundledAnalyzer,
)
from headshots.faces.detection import SIDE
from headshots.faces.geometry import CROP

OPSET = 18
SURE_FROM = 0.4
FALSE_MATCH_RATE = 1e-3
FIRST_CALIBRATION_PERSON = FIRST_HELD_OUT + 500_000
CALIBRATION_PEOPLE = 200
_HALVED_FROM = 64  # numbers; smaller tensors stay as they are

Floats = npt.NDArray[np.float32]


class _Answers(nn.Module):
    """The detector with its heat as shares of 1."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, pixels_BCHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        heat, geometry, parts = self.detector(pixels_BCHW)
        return torch.sigmoid(heat), geometry, parts


def export_graph(model: nn.Module, example: Tensor, path: Path, inputs: str, outputs: list[str]) -> None:
    """One graph of any number of rows, its weights in fp16; inputs, arithmetic and outputs stay fp32."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer says that a newer exporter exists
        torch.onnx.export(
            model,
            (example,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=[inputs],
            output_names=outputs,
            dynamic_axes={name: {0: "rows"} for name in [inputs, *outputs]},
        )
    onnx.save(halved(onnx.load(str(path))), str(path))


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Large fp32 weights stored as fp16 behind a Cast, which the runtime folds away as it loads."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _HALVED_FROM:
            continue
        name = tensor.name
        small = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), name + ".fp16")
        tensor.CopyFrom(small)
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def export_analyzer(
    work: Path, out: Path, people: int = CALIBRATION_PEOPLE, regular: int = REGULAR_PEOPLE
) -> BundledAnalyzer:
    """Write the analyzer into `out`: its threshold measured on `people` held-out people, the arrangement of points on
    `regular` training people. A detector or an embedder without a checkpoint is the one that `out` has already; without
    a checkpoint of the points it has none.

    Raises:
        FileNotFoundError: neither a checkpoint nor a graph of one of the two.
    """
    out.mkdir(parents=True, exist_ok=True)
    if _is_new(work, "detector", out / DETECTOR_FILE):
        detector, outputs = Detector(), ["heat", "geometry", "parts"]
        load_average(detector, work, "detector")
        export_graph(_Answers(detector).eval(), torch.zeros(2, 3, SIDE, SIDE), out / DETECTOR_FILE, "pixels", outputs)
    if _is_new(work, "embedder", out / EMBEDDER_FILE):
        embedder = FaceEmbedder()
        load_average(embedder, work, "embedder")
        export_graph(embedder, torch.zeros(2, 3, CROP, CROP), out / EMBEDDER_FILE, "faces", ["embeddings"])
    for name in (POINTS_FILE, REGULARITY_FILE):
        (out / name).unlink(missing_ok=True)
    write_settings(out, 1.0)
    write_settings(out, same_person_threshold(BundledAnalyzer(out), people))
    if (work / "analyzer_points.pt").exists():
        export_points(BundledAnalyzer(out), work, out, regular)
    return BundledAnalyzer(out)


def _is_new(work: Path, stage: str, graph: Path) -> bool:
    """Whether a graph is to be made; raises FileNotFoundError where there is nothing that it could be made of."""
    checkpoint = work / f"analyzer_{stage}.pt"
    if not checkpoint.exists() and not graph.exists():
        raise FileNotFoundError(
            f"neither {checkpoint} nor {graph} is there: `python -m foundry.train_analyzer --work {work}` trains it, "
            f"or copy models/portrait-analyzer/{graph.name} to keep that one"
        )
    return checkpoint.exists()


def export_points(analyzer: FaceAnalyzer, work: Path, out: Path, people: int) -> None:
    """Write `points.onnx` and `regularity.npz`; `analyzer` finds the faces of `people` true renders."""
    finder = PointFinder()
    load_average(finder, work, "points")
    learned = regularity_of_renders(analyzer, finder, people)
    export_graph(finder, torch.zeros(2, 3, CROP, CROP), out / POINTS_FILE, "faces", ["points"])
    learned.save(out / REGULARITY_FILE)


def write_settings(out: Path, same_person_from: float) -> None:
    """`analyzer.json`."""
    content = {"same_person_from": round(same_person_from, 4), "sure_from": SURE_FROM}
    (out / SETTINGS_FILE).write_text(json.dumps(content, indent=2) + "\n")


def same_person_threshold(analyzer: FaceAnalyzer, people: int) -> float:
    """The cosine that one pair in a thousand of strangers reaches: a studio portrait and a selfie of each person.

    1 where the analyzer has learned too little to find faces of two people: then nobody counts as one person.
    """
    vectors = []
    for person in tqdm(range(people), desc="strangers", mininterval=5):
        identity = sample_identity(FIRST_CALIBRATION_PERSON + person)
        for kind in ("studio", "selfie"):
            rng = np.random.default_rng([FIRST_CALIBRATION_PERSON + person, len(kind)])
            found = analyzer.faces(render(identity, sample_scene(rng, kind)))
            if found:
                vectors.append((person, found[0].embedding))
    owners = np.array([owner for owner, _ in vectors])
    if len(set(owners.tolist())) < 2:
        return 1.0
    embeddings = np.stack([vector for _, vector in vectors])
    similarity = embeddings @ embeddings.T
    strangers = similarity[np.triu(owners[:, None] != owners[None, :], 1)]
    return float(np.quantile(strangers, 1 - FALSE_MATCH_RATE))


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(prog="python -m foundry.export_analyzer", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where the checkpoints live")
    parser.add_argument("--out", type=Path, default=Path("models/portrait-analyzer"), help="the folder to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    analyzer = export_analyzer(options.work, options.out)
    print(f"{analyzer.name}: one person from a cosine of {analyzer.same_person_from:.3f}")


if __name__ == "__main__":
    main()
