"""The serving benchmark, small: what it writes, and that it refuses to time sides that do not paint the same."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving.content import ContentError, check_adapters_show, check_same
from benchmarks.serving.report import report, show
from benchmarks.serving.run import Bench
from benchmarks.serving.scale import QUICK
from benchmarks.serving.world import make_world
from headshots.diffusion.foundations.foundation import Foundation
from services.generator.images.encoding import encode
from tests.support.foundations.engines import tiny_foundation, tiny_package

FIGURES = {
    "throughput_vs_preloaded",
    "throughput_vs_reload",
    "throughput_vs_grouped",
    "latency_alone_vs_preloaded",
    "p95_poisson_vs_preloaded",
    "hotload_vs_load_lora",
    "bank_cost",
    "memory_growth_2000_swaps",
    "grpc_vs_engine",
}


@pytest.mark.slow
def test_a_quick_pass_measures_every_figure(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.ports", "benchmarks.serving", "--quick"]
    command += ["--foundation", str(tiny_foundation()), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "serving.json").read_text("utf-8"))
    assert set(result["figures"]) == FIGURES
    assert all(math.isfinite(value) and value > 0 for value in result["figures"].values())
    assert all(key in done.stdout for key in FIGURES)
    assert min(result["content"]["worst_psnr_db_against_ours"].values()) >= 40
    assert result["foundation"]["name"] == tiny_foundation().name
    assert result["settings"]["steps"] == QUICK.steps
    assert set(result["threads"]) == {"ours", "preloaded", "reload", "grouped"}
    assert {len(times) for times in result["burst_ms"].values()} == {QUICK.rounds}
    assert set(result["bank"]) == {str(rows) for rows in QUICK.bank_rows}
    for key in (
        "date",
        "machine",
        "versions",
        "hotload_ms",
        "latency_alone_ms",
        "poisson",
        "swaps",
        "grpc_ms",
        "load_average",
    ):
        assert result[key], key


# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
# PEFT warns of a second adapter in one model, which is what the preloaded peer is about.
@pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")
def test_a_side_that_paints_otherwise_is_not_timed(tmp_path: Path) -> None:
    world = make_world(Foundation.read(tiny_foundation()), tiny_package(), tmp_path / "adapters", QUICK)
    one, other = world.subjects
    one.path.write_bytes(other.data)  # the peers read files; ours was told the digest of what was there before
    bench = Bench(world, QUICK, tmp_path)
    with pytest.raises(ContentError, match="preloaded paints other images"):
        asyncio.run(bench.run(("hotload",)))
    assert not bench.figures
    assert "threads" not in bench.details


def test_images_are_compared_pixel_by_pixel() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (16, 16, 3)).astype(np.uint8)
    same, close, far = (encode(pixels + np.uint8(add), "png") for add in (0, 1, 60))
    assert check_same([same, same], {"a": [same, close]})["a"] == pytest.approx(48.13, abs=0.01)
    with pytest.raises(ContentError, match="b paints other images"):
        check_same([same, same], {"a": [same, same], "b": [same, far]})
    with pytest.raises(ContentError, match="changes too little"):
        check_adapters_show(same, close)
    with pytest.raises(ValueError, match="shorter"):
        check_same([same, same], {"a": [same]})


def test_what_was_not_measured_is_said_and_not_invented(capsys: pytest.CaptureFixture[str]) -> None:
    result = report({"bank_cost": 1.2, "grpc_vs_engine": 0.99}, {"foundation": {"name": "x"}})
    assert set(result["figures"]) == FIGURES
    assert result["figures"]["throughput_vs_reload"] is None
    assert result["met"]["throughput_vs_reload"] is None
    assert (result["met"]["bank_cost"], result["met"]["grpc_vs_engine"]) == (False, True)
    show(result)
    table = capsys.readouterr().out
    assert table.count("not measured") == len(FIGURES) - 2
    assert "missed" in table
