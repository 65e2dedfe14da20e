"""Data-parallel processes: what they learn, how many there are, and what follows when one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from services.trainer.lora import data_parallel
from services.trainer.lora.data_parallel import MIN_STEPS, DataParallelProcesses
from services.trainer.lora.recipe import Recipe
from services.trainer.run.messages import encode
from tests.support.paths import ROOT
from tests.support.trainer.runs import prepare_loop, training_task
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("one_thread")


def test_processes_that_share_a_steps_rows_learn_what_one_does(
    foundation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_parallel, "MIN_STEPS", 6)
    alone_task = training_task(foundation, tmp_path, steps=6, learning_rate=0.01, batch_rows=3)
    alone, together = prepare_loop(alone_task), prepare_loop(replace(alone_task, processes=2))
    [other] = [each for each in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(each.cmdline())]
    start = np.concatenate([matrix.ravel() for matrix in alone.weights().values()])
    losses = [[step.loss for step in run.steps()] for run in (alone, together)]
    np.testing.assert_allclose(losses[1][0], losses[0][0], rtol=1e-5)
    # Sums have another order, and on CPUs with bf16 some merged weights are rounded differently; near zero gradients
    # Adam's updates then differ completely.
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-2)
    learned, learned_together = (
        np.concatenate([m.ravel() for m in run.weights().values()]) for run in (alone, together)
    )
    assert np.linalg.norm(learned_together - learned) < 0.1 * np.linalg.norm(learned - start)
    together.end()
    assert not other.is_running()


def test_no_more_processes_than_rows_are_started_and_none_for_a_short_run(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def start(self: DataParallelProcesses, count: int, foundation: Path, recipe: Recipe) -> None:
        started.append(count)

    monkeypatch.setattr(DataParallelProcesses, "__init__", start)
    for steps, rows in ((MIN_STEPS - 1, 2), (MIN_STEPS, 2), (MIN_STEPS, 9)):
        DataParallelProcesses.for_run(5, Path(), Recipe(steps=steps, batch_rows=rows))
    assert started == [0, 1, 4]


KILLING_A_PROCESS = """
import sys, psutil, torch
from pathlib import Path
from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora.recipe import Recipe
from services.trainer.run.photos import load_crops
from services.trainer.run.preparing import prepare
from services.trainer.run.messages import decode_task

if __name__ == "__main__":
    task = decode_task(sys.argv[1].encode())
    foundation, store = Foundation.read(Path(task.foundation)), ArtifactStore.open(task.store_url)
    recipe = Recipe.resolve(foundation, task.request.options)
    crops = load_crops(store, task.request.photos, recipe, (64, 64))
    untold = lambda: None, lambda text: None
    run = prepare(task, crops, store, foundation, recipe, None, torch.device("cpu"), *untold).loop
    for step in run.steps():
        print(step.number, flush=True)
        if step.number == 2:
            [other] = [each for each in psutil.Process().children(True) if "spawn_main" in " ".join(each.cmdline())]
            other.kill()
"""


def test_a_run_is_killed_with_any_of_its_processes(foundation: Path, tmp_path: Path) -> None:
    task = replace(training_task(foundation, tmp_path, steps=200, batch_rows=2), processes=2)
    script = tmp_path / "killing.py"
    script.write_text(KILLING_A_PROCESS)
    done = subprocess.run(
        [sys.executable, str(script), encode(task).decode()],
        stdout=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == [b"1", b"2"]
