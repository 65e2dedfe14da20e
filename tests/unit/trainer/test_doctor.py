"""What a trainer depends on: its foundation, recipe and analyzer."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from headshots.diffusion.foundations.files import INITIAL_WEIGHTS
from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.diffusion.lora.files import DIGEST_KEY
from headshots.doctor.findings import Result, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from services.trainer.doctor import checks
from services.trainer.settings import TrainerSettings
from tests.support.foundations.engines import tiny_foundation


def looked_at(home: Path, **variables: str) -> dict[str, Result]:
    environ = {
        "HEADSHOTS_HOME": str(home),
        "HEADSHOTS_TRAINER_PORT": "0",
        "HEADSHOTS_TRAINER_METRICS_PORT": "0",
        **{f"HEADSHOTS_{name}": value for name, value in variables.items()},
    }
    settings = TrainerSettings.from_environment(environ)
    return {each.check: each for each in run("trainer", checks(settings), Redactor(environ))}


def test_a_trainer_that_could_start_has_no_failure_and_nothing_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = looked_at(home, FOUNDATION=str(tiny_foundation()), TRAINER_FACES="bundled")
    assert State.FAILED not in {each.state for each in found.values()}
    assert (found["recipe"].state, found["analyzer"].seen) == (State.OK, "bundled can be opened")
    assert not home.exists()


def test_a_recipe_that_is_wrong_is_told(tmp_path: Path) -> None:
    foundation = Path(shutil.copytree(tiny_foundation(), tmp_path / "foundation"))
    (foundation / "headshots.yaml").write_text("training:\n  rank: many\n")
    found = looked_at(tmp_path / "home", FOUNDATION=str(foundation))
    assert (found["foundation"].state, found["recipe"].state) == (State.OK, State.FAILED)
    assert str(foundation / "headshots.yaml") in found["recipe"].cure


def test_a_start_of_adapters_of_another_foundation_is_told(tmp_path: Path) -> None:
    foundation = Path(shutil.copytree(tiny_foundation(), tmp_path / "foundation"))
    start = foundation / INITIAL_WEIGHTS
    for digest, state in (("ab" * 32, State.FAILED), (foundation_digest(foundation), State.OK)):
        save_file({"a": torch.zeros(1)}, start, {DIGEST_KEY: digest})
        found = looked_at(tmp_path / "home", FOUNDATION=str(foundation))["recipe"]
        assert found.state is state
    start.write_bytes(b"no weights")
    found = looked_at(tmp_path / "home", FOUNDATION=str(foundation))["recipe"]
    assert (found.state, str(start) in found.seen) == (State.FAILED, True)


def test_an_analyzer_that_is_not_there_is_told_with_the_command(tmp_path: Path) -> None:
    found = looked_at(tmp_path / "home", FOUNDATION=str(tiny_foundation()), TRAINER_FACES="people")["analyzer"]
    assert found.state is State.FAILED
    assert found.seen.startswith("ANALYZER_NOT_INSTALLED")
    assert "headshots analyzers list" in found.cure
    none = looked_at(tmp_path / "home", FOUNDATION=str(tiny_foundation()))["analyzer"]
    assert none.state is State.WARNING
    assert "HEADSHOTS_TRAINER_FACES" in none.cure
