"""The serving benchmark, small: what it writes, and that it refuses to time sides that do not paint the same."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.serving.bench import OURS, Bench
from benchmarks.serving.content import ContentError
from benchmarks.serving.parts import throughput
from benchmarks.serving.report import TARGETS
from benchmarks.serving.scale import QUICK
from benchmarks.serving.shapes import shapes, usable
from benchmarks.serving.world import make_world
from headshots.diffusion.foundations.foundation import Foundation
from tests.support.foundations.engines import tiny_foundation, tiny_package


@pytest.mark.slow
def test_a_quick_pass_measures_every_figure(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.ports", "benchmarks.serving", "--quick"]
    command += ["--foundation", str(tiny_foundation()), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "serving.json").read_text("utf-8"))
    assert set(result["figures"]) == set(TARGETS)
    assert all(math.isfinite(value) and value > 0 for value in result["figures"].values())
    assert all(key in done.stdout for key in TARGETS)
    peers = {"ours", "preloaded", "reload", "grouped", "mixed", "merged"}
    assert set(result["content"]["worst_psnr_db_against_ours"]) == peers
    assert min(result["content"]["worst_psnr_db_against_ours"].values()) >= 40
    assert result["foundation"]["name"] == tiny_foundation().name
    assert result["settings"]["steps"] == QUICK.steps
    assert {name.partition(",")[0] for name in result["shapes"]} == {*peers, "hotswap", "merged_ort"}
    bursts = {name for name in TARGETS if name.startswith("throughput")}
    assert set(result["burst_ms"]) == bursts
    assert {len(times) for each in result["burst_ms"].values() for times in each.values()} == {QUICK.rounds}
    # A spread stands beside every ratio that is measured in rounds.
    rounds = {"p95_at_equal_load_vs_preloaded", "bank_cost", "grpc_vs_engine", "sd15_call_vs_peft"}
    assert set(result["spread"]) >= bursts | rounds | {"cold_adapter_vs_hotswap", "cold_adapter_vs_merged_ort"}
    assert set(result["bank"]) == {str(rows) for rows in QUICK.bank_rows}
    # What else reads the file: thresholds of alerts, the simulation.
    assert result["poisson"]["p95_ms"]["ours"] > 0
    assert result["images_per_second"]["ours"] > 0
    for key in ("date", "revision", "machine", "versions", "cold_ms", "latency_alone_ms", "swaps", "load_average"):
        assert result[key], key


@pytest.mark.slow
def test_a_side_that_paints_otherwise_is_not_timed(tmp_path: Path) -> None:
    world = make_world(Foundation.read(tiny_foundation()), tiny_package(), tmp_path, QUICK)
    bench = Bench(world, QUICK, tmp_path)
    asyncio.run(bench.keep_ours(*QUICK.burst))
    # Ours has painted, and is tried in no other shape; from here on the file is another person's.
    bench.found[OURS, QUICK.burst[1]] = shapes(usable())[0]
    one, other = world.subjects[:2]
    one.path.write_bytes(other.data)
    with pytest.raises(ContentError, match="preloaded paints other images"):
        asyncio.run(throughput.preloaded(bench))
    assert not any(side == "preloaded" for side, _ in bench.found)
