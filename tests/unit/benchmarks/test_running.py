"""A benchmark adds up what its parts found, tells how long each took, and fails where a full run misses a target."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.report import Measured, Target, versions
from benchmarks.running import OUT, Run, parser
from tests.support.paths import ROOT

TARGETS = {"fast": Target(1.0, True, "seconds"), "right": Target(0.9, False, "share"), "left": Target(1.0, True, "")}


@pytest.mark.parametrize(
    ("fast", "quick", "status"), [(0.5, False, 0), (2.0, False, 1), (2.0, True, 0), (0.5, True, 0)]
)
def test_the_report_has_all_parts_and_a_miss_of_a_full_run_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fast: float, status: int, *, quick: bool
) -> None:
    run = Run(scale={"people": 6}, quick=quick, seed=3)
    for name, found in {"speed": Measured({"fast": fast}, {"cores": 2}), "care": Measured({"right": 1.0}, {})}.items():
        with run.part(name) as add:
            add(found)
    assert run.end("a title", TARGETS, ["numpy"], tmp_path / "out" / "x.json") == status
    told = json.loads((tmp_path / "out" / "x.json").read_text())
    assert told["figures"] == {"fast": fast, "right": 1.0, "left": None}
    assert told["met"] == {"fast": fast < 1, "right": True, "left": None}
    assert (told["scale"], told["quick"], told["seed"], told["cores"]) == ({"people": 6}, quick, 3, 2)
    assert (list(told["seconds"]), list(told["load_average"])) == (["speed", "care"], ["before", "after"])
    assert ("(a quick pass)" in capsys.readouterr().out) == quick


def test_a_part_that_fails_adds_nothing_and_is_not_swallowed() -> None:
    run = Run(quick=True)

    def broken() -> None:
        with run.part("broken") as add:
            add(Measured({"fast": 1.0}, {}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert (run.figures, run.details["seconds"]) == ({}, {})


def test_a_library_that_is_not_for_this_system_is_told_as_missing() -> None:
    told = versions(["grpcio", "no-such-library"])
    assert told["grpcio"][0].isdecimal()
    assert told["no-such-library"] == "not installed"


def test_arguments_are_the_same_of_all_and_a_seed_where_there_is_one() -> None:
    given = parser("x", "What it does.\n\nMore.", ["a", "b"], seed="of files").parse_args(
        ["--only", "b", "--only", "a"]
    )
    assert (given.out, given.quick, given.only, given.seed) == (OUT, False, ["b", "a"], 0)
    with pytest.raises(SystemExit):
        parser("x", None, ["a"]).parse_args(["--seed", "1"])
    with pytest.raises(SystemExit):
        parser("x", None, ["a"]).parse_args(["--only", "c"])


@pytest.mark.parametrize("name", ["promises", "gateway", "shoot", "faults"])
def test_each_benchmark_tells_its_arguments(name: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.{name}", "--help"]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert {"--out", "--quick", "--only"} <= set(said.split())
    assert ("--seed" in said.split()) == (name in ("promises", "faults"))
    assert f"folder of {name}.json" in " ".join(said.split())
