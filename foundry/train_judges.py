"""Stage 5: trains the probe, the landmarker and the identity embedder on renders of training people only.

`python -m foundry.train_judges --work DIR` writes `foundry/judges_weights/judges.safetensors` (fp16) beside a
`judges.json` with what they score on people they never saw. Each net starts from the weights that are there, and a run
that is started again with more minutes goes on from its checkpoints in the work folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from foundry.dataset import render_range
from foundry.faces.judge_pictures import prepare_judge_pictures
from foundry.faces.judge_scores import HELD_OUT_PICTURES, VIEWS, embed_all, scores, verification
from foundry.faces.judge_stages import EmbedderStage, LandmarkerStage, ProbeStage
from foundry.faces.landmarker import Landmarker
from foundry.judges import CropEmbedder, Embedder, Judges, Probe
from foundry.latents import to_tensor
from foundry.stages import Stage, Trainer, load_average, train
from foundry.training import Budget

JUDGES_FOLDER = Path(__file__).parent / "judges_weights"


@dataclass
class Budgets:
    """What each net may take, earlier runs in the same work folder included; a spent one leaves its net as it is."""

    probe: Budget
    landmarker: Budget
    embedder: Budget


def train_judges(
    work: Path,
    families: int,
    budgets: Budgets,
    held_out_pictures: int = HELD_OUT_PICTURES,
    seed: int = 0,
    start: Judges | None = None,
    processes: int | None = None,
) -> Judges:
    """The nets, from those of `start` if given (which change), each within its own budget.

    The threshold comes from people that none of them saw.
    """
    probe, landmarker, crops = _models(start)
    pictures = prepare_judge_pictures(work, families, processes)
    stages: list[tuple[Budget, nn.Module, Callable[[], Stage]]] = [
        (budgets.probe, probe, lambda: ProbeStage(pictures, seed, probe)),
        (budgets.landmarker, landmarker, lambda: LandmarkerStage(pictures, seed, landmarker)),
        (budgets.embedder, crops, lambda: EmbedderStage(pictures, seed, crops)),
    ]
    for budget, model, make in stages:
        if budget.progress(0) < 1:
            trainer = Trainer(make(), work, of="judge")
            trainer.resume()
            train(trainer, budget)
            load_average(model, work, trainer.stage.name, of="judge")
        model.eval()
    embedder = Embedder(landmarker, crops).eval()
    held_out = to_tensor(render_range(0, held_out_pictures, held_out=True))
    return Judges(probe, embedder, verification(embed_all(embedder, held_out))["threshold"])


def _models(start: Judges | None) -> tuple[Probe, Landmarker, CropEmbedder]:
    """Those of `start`, or new ones."""
    if start is None:
        return Probe(), Landmarker(), CropEmbedder()
    return start.probe, start.landmarker, start.embedder.crops


def save_judges(judges: Judges, folder: Path, figures: dict[str, object]) -> None:
    """judges.safetensors (fp16) and judges.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{name}.{key}": value.half().contiguous() if value.is_floating_point() else value
        for name, model in (("probe", judges.probe), ("embedder", judges.embedder))
        for key, value in model.state_dict().items()
    }
    save_file(tensors, folder / "judges.safetensors")
    (folder / "judges.safetensors").chmod(0o644)
    (folder / "judges.json").write_text(
        json.dumps({"same_person_from": judges.same_person_from, **figures}, indent=2) + "\n"
    )


def load_judges(folder: Path = JUDGES_FOLDER) -> Judges:
    """What `save_judges` wrote, in fp32, ready to answer."""
    tensors = load_file(folder / "judges.safetensors")
    probe, embedder = Probe(), Embedder()
    for name, model in (("probe", probe), ("embedder", embedder)):
        model.load_state_dict({k.removeprefix(name + "."): v for k, v in tensors.items() if k.startswith(name + ".")})
        model.eval()
    return Judges(probe, embedder, json.loads((folder / "judges.json").read_text())["same_person_from"])


def digest(folder: Path = JUDGES_FOLDER) -> str:
    """Twelve digits that name the judges: what one has measured is never mixed with what another has."""
    return hashlib.sha256((folder / "judges.safetensors").read_bytes()).hexdigest()[:12]


def main() -> None:
    """Parse the command line, train, measure on held-out people and save."""
    parser = argparse.ArgumentParser(prog="python -m foundry.train_judges", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where pictures and checkpoints live")
    parser.add_argument("--families", type=int, default=6_000, help="families to learn from, of 7 pictures each")
    parser.add_argument("--probe-minutes", type=float, default=4, help="0 keeps a probe that is there as it is")
    parser.add_argument("--landmarker-minutes", type=float, default=8, help="the same for the landmarker")
    parser.add_argument("--embedder-minutes", type=float, default=15, help="the same for the embedder")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of training; all cores render")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=JUDGES_FOLDER, help="weights to start from, if any, and to write")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    start = load_judges(options.out) if (options.out / "judges.json").exists() else None
    nets = ("probe", "landmarker", "embedder")
    budgets = Budgets(*(Budget(60 * getattr(options, f"{net}_minutes"), None) for net in nets))
    judges = train_judges(options.work, options.families, budgets, seed=options.seed, start=start)
    figures: dict[str, object] = {name: scores(judges, framing) for name, framing in VIEWS.items()}
    save_judges(judges, options.out, figures)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
