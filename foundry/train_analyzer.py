"""Trains the bundled analyzer's nets on renders of training people only.

`python -m foundry.train_analyzer --work DIR --embedder-minutes 20 --detector-minutes 12` trains them;
with `--out models/portrait-analyzer` it writes them. Run again with more minutes (or `--embedder-steps` and its like),
it goes on from its checkpoints. Every step's pictures follow from the seed and the step's number alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from foundry.stages import Stage, Trainer, train
from foundry.training import Budget, pick_device


def stages(work: Path, families: int, scenes: int, seed: int) -> dict[str, Callable[[], Stage]]:
    """How to set up each stage, in the order of training."""
    from foundry.analyzer_detecting import DetectorStage
    from foundry.analyzer_embedding import EmbedderStage
    from foundry.faces.finding_points import PointsStage

    device = pick_device()
    return {
        "embedder": lambda: EmbedderStage(work, families, seed=seed, device=device),
        "detector": lambda: DetectorStage(work, scenes, seed=seed, device=device),
        "points": lambda: PointsStage(work, families, seed=seed, device=device),
    }


def main() -> None:
    """Parse the command line, train the nets and export them."""
    parser = argparse.ArgumentParser(prog="python -m foundry.train_analyzer", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where pictures and checkpoints live")
    parser.add_argument("--families", type=int, default=6_000, help="families that the embedder and points learn from")
    parser.add_argument("--scenes", type=int, default=6_000, help="rendered people that the detector learns from")
    parser.add_argument("--embedder-minutes", type=float, default=20, help="0 keeps its checkpoint as it is")
    parser.add_argument("--detector-minutes", type=float, default=12, help="0 keeps its checkpoint as it is")
    parser.add_argument("--points-minutes", type=float, default=15, help="0 keeps its checkpoint as it is")
    parser.add_argument("--embedder-steps", type=int, help="stop at so many steps, or before by the minutes")
    parser.add_argument("--detector-steps", type=int, help="the same for the detector")
    parser.add_argument("--points-steps", type=int, help="the same for the points")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--seed", type=int, default=29)
    parser.add_argument("--out", type=Path, help="the analyzer's folder to write; by default none is written")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name, make in stages(options.work, options.families, options.scenes, options.seed).items():
        minutes = getattr(options, f"{name}_minutes")
        if not minutes:
            continue
        trainer = Trainer(make(), options.work)
        trainer.resume()
        train(trainer, Budget(60 * minutes, getattr(options, f"{name}_steps")))
    if options.out:
        from foundry.export_analyzer import export_analyzer

        export_analyzer(options.work, options.out)


if __name__ == "__main__":
    main()
