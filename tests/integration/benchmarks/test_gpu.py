"""benchmarks/gpu.py: its code runs on a tiny shape, and it never reports what did not run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu
from benchmarks.gpu_report import figures


def test_without_a_gpu_it_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU"):
        gpu.main(["--out", str(tmp_path), "--work", str(tmp_path)])
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_a_dry_run_goes_through_the_code_and_leaves_no_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu.main(["--dry-run", "--out", str(tmp_path / "results"), "--work", str(tmp_path / "work")])
    assert not (tmp_path / "results").exists()
    (path,) = (tmp_path / "work").glob("dry-run-*.json")
    result = json.loads(path.read_text())
    assert result["dry_run"]
    found = result["shapes"]["tiny-64"]
    assert set(found["ours"]) == {"torch:eager", "onnxruntime:cpu"}
    for entry in found["ours"].values():
        assert entry["difference_from_peft"] < 1e-3
        assert set(entry["ms"]) == {"1", "2"}
    assert set(found["peers"]) == {"diffusers:eager:peft_one_subject", "diffusers:eager:bare"}
    assert set(found["not_run"]) == {"onnxruntime:cuda", "tensorrt-rtx"}, "asked for on a CPU, and told why not"
    assert "CUDAExecutionProvider" in found["not_run"]["onnxruntime:cuda"]
    assert set(found["figures"]["bank_cost"]) == {"1", "2"}
    assert found["gflop_a_row"] > 0
    assert "onnxruntime:cuda" in capsys.readouterr().out


def test_figures_are_ratios_of_what_ran() -> None:
    found = {
        "ours": {"torch:eager": {"ms": {"1": 10.0, "2": 16.0}}},
        "peers": {"diffusers:eager:bare": {"1": 20.0, "2": 40.0}},
        "without_bank_ms": {"1": 8.0, "2": 16.0},
    }
    made = figures(found, flops=10**9, rate=10**12)
    assert made["bank_cost"] == {"1": 1.25, "2": 1.0}
    assert made["matmul_share"] == {"torch:eager": {"1": pytest.approx(0.1), "2": pytest.approx(0.125)}}
    assert made["speed_up_over"] == {"diffusers:eager:bare": {"torch:eager": {"1": 2.0, "2": 2.5}}}
    del found["without_bank_ms"]
    assert figures(found, 1, 1.0)["bank_cost"] is None
