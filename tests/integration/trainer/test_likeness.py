"""A short training on the bundled foundation paints its person, which the bare foundation does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.faces import open_analyzer
from services.trainer.lora.recipe import TrainingOptions
from tests.support.trainer.people import bundled_task
from tests.support.trainer.runs import prepare_run

# Seconds of work. Without the foundation's initial weights the person gains 0.24 in these steps, with them 0.69.
SHORT = TrainingOptions(steps=20, batch_rows=4)
LEAST_GAIN = 0.45


@pytest.mark.usefixtures("one_thread")
def test_a_short_training_is_likelier_than_the_bare_foundation_thanks_to_its_initial_weights(tmp_path: Path) -> None:
    run = prepare_run(bundled_task(tmp_path, person=1, photos=6, options=SHORT), open_analyzer("bundled", None))
    judge = run.selection.judge
    assert judge is not None
    bare = judge.scores(0, run.bare)
    assert len(list(run.loop.steps())) == SHORT.steps
    trained = judge.scores(run.loop.step, run.selection.sampler.sample(lambda: None))
    assert trained.likeness - bare.likeness > LEAST_GAIN
    assert (trained.faces, trained.prompt_kept) == (1.0, 1.0)
