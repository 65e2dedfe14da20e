"""The benchmark of trainings from end to end on a tiny foundation: every figure comes out, and a second run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.foundations.trained_quickly import make_foundation
from tests.support.paths import ROOT

PIECES = {"timed": 1, "speed": 1, "ours": 1, "bare": 1, "peer": 1}


def _bench(foundation: Path, out: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "benchmarks.training",
        "--quick",
        "--people",
        "1",
        "--jobs",
        "1",
        "--faces",
        "none",
    ]
    command += ["--foundation", str(foundation), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout


def test_every_figure_and_a_second_run_that_goes_on(tmp_path: Path) -> None:
    foundation = make_foundation(tmp_path / "foundation", score_steps=2)
    out = tmp_path / "bench"
    shown = _bench(foundation, out)
    result = json.loads((out / "training.json").read_text())
    figures = result["figures"]
    # No analyzer: nobody kept the gate, so nothing is claimed. All else is a number.
    assert figures.pop("accepted_share") is None
    assert len(figures) == 7
    assert all(isinstance(value, float) for value in figures.values())
    assert all(name in shown for name in figures)
    assert (result["people"], result["peer_people"]) == (1, 1)
    journal = out / "training" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert {kind: kinds.count(kind) for kind in kinds} == PIECES
    # Cut short in the middle of a line: that piece is done again, and only that.
    journal.write_text("\n".join([*lines[:-1], lines[-1][:20]]))
    _bench(foundation, out)
    again = [line for line in journal.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    assert [json.loads(line)["kind"] for line in again if line not in lines] == ["peer"]
    assert json.loads((out / "training.json").read_text())["figures"]["rank1"] == figures["rank1"]
