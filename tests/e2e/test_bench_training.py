"""The benchmark of trainings from end to end on a tiny foundation: every figure comes out, and a second run goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.training import __main__ as training
from benchmarks.training import speed
from benchmarks.training.peer import Peer
from benchmarks.training.sides import Side, Steps, take
from benchmarks.training.targets import TARGETS
from tests.support.foundations.trained_quickly import make_foundation

_ONCE = ("timed", "speed", "ours", "bare", "tuned peer", "strangers", "faces", "stock")
PIECES = {**dict.fromkeys(_ONCE, 1), "natural": 2}


class Here:
    """A side of the comparison in this process, which has imported torch."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def open(self, *arguments: object) -> None:
        self._taking = self._steps(*arguments)

    def take(self, count: int) -> float:
        return take(self._taking, count)

    def close(self) -> None:
        self._taking.close()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Runs the benchmark in this process, which has imported torch; what it printed. A thread stands for its pool, and
    the peers are timed here too.

    The peer takes one step instead of as many as fit into the time of ours, most of which is the start of a process.
    """
    foundation = make_foundation(tmp_path / "foundation", score_steps=2)
    arguments = ["--quick", "--people", "1", "--jobs", "1", "--faces", "none", "--foundation", str(foundation)]
    monkeypatch.setattr(sys, "argv", ["benchmarks.training", *arguments, "--out", str(tmp_path / "bench")])
    monkeypatch.setattr(training, "_pool", ThreadPoolExecutor)
    in_process = lambda steps, **settings: Side(steps, **settings) if steps is speed._ours else Here(steps)  # noqa: E731
    monkeypatch.setattr(speed, "Side", in_process)
    run_for = Peer.run_for
    monkeypatch.setattr(Peer, "run_for", lambda self, _seconds: run_for(self, 0.0))

    def run() -> str:
        training.main()
        return capsys.readouterr().out

    return run


@pytest.mark.usefixtures("one_thread")
def test_every_figure_and_a_second_run_that_goes_on(bench: Callable[[], str], tmp_path: Path) -> None:
    out = tmp_path / "bench"
    shown = bench()
    result = json.loads((out / "training.json").read_text())
    figures = result["figures"]
    # No analyzer: nobody kept the gate, so nothing is claimed. All else is a number.
    assert figures.pop("accepted_share") is None
    assert set(figures) == set(TARGETS) - {"accepted_share"}
    assert all(isinstance(value, float) for value in figures.values())
    assert all(name in shown for name in figures)
    assert (result["people"], result["peer_people"]) == (1, 1)
    assert result["faces"]["face_share"]["people"]["0"] == figures["face_share"]
    stock = result["faces"]["face_share_stock"]["people"]["0"]
    assert figures["face_share"] - stock == pytest.approx(figures["stock_shortfall"])
    assert (out / "training" / "sheet-worst-1-person-00.png").exists()
    journal = out / "training" / "journal.jsonl"
    lines = journal.read_text().splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert {kind: kinds.count(kind) for kind in kinds} == PIECES
    # Cut short in the middle of a line: that piece is done again, and only that.
    journal.write_text("\n".join([*lines[:-1], lines[-1][:20]]))
    bench()
    again = [line for line in journal.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    assert [json.loads(line)["kind"] for line in again] == kinds
    assert again[:-1] == lines[:-1]
    assert json.loads((out / "training.json").read_text())["figures"]["rank1"] == figures["rank1"]
