"""The limits of the alerts are what their figures make them, and each says where it comes from."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT

FOLDER = ROOT / "deploy" / "prometheus"
PAGE = (ROOT / "docs" / "operations.md").read_text()


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("thresholds", ROOT / "deploy" / "thresholds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up.
    sys.modules["thresholds"] = module
    spec.loader.exec_module(module)
    return module


thresholds = _loaded()
TOLD: dict[str, Any] = thresholds.table()


def alerts() -> dict[str, dict[str, Any]]:
    files = (yaml.safe_load((FOLDER / name).read_text()) for name in ("rules.yaml", "slo.yaml"))
    return {
        rule["alert"]: rule for file in files for group in file["groups"] for rule in group["rules"] if "alert" in rule
    }


def test_every_alert_says_where_each_of_its_limits_comes_from() -> None:
    assert TOLD["alerts"].keys() == alerts().keys()
    for name, source in TOLD["alerts"].items():
        if "policy" in source:
            assert source.keys() == {"policy"}
            continue
        assert source.keys() <= {"limits", "for"}, name
        told = source.get("limits", [])
        assert len(told) == len(thresholds.COMPARED.findall(alerts()[name]["expr"])), name
        assert all(limit.keys() in ({"figure", "factor"}, {"policy"}) for limit in told), name
    assert {limit.figure for limit in thresholds.limits(TOLD)} == TOLD["figures"].keys()


def test_the_rules_have_the_limits_that_the_figures_make() -> None:
    """By arithmetic of its own: figure times factor, to two digits."""
    found = thresholds.figures(TOLD)
    for limit in thresholds.limits(TOLD):
        rule, expected = alerts()[limit.alert], found[limit.figure] * limit.factor
        if limit.is_for:
            assert rule["for"] == f"{expected / 60:.0f}m", limit
            continue
        stands = float(thresholds.COMPARED.findall(rule["expr"])[limit.number])
        assert stands == float(f"{expected:.2g}"), limit
    assert (
        thresholds.with_limits((FOLDER / "rules.yaml").read_text(), TOLD, found) == (FOLDER / "rules.yaml").read_text()
    )


def test_figures_are_those_of_the_files_that_they_name() -> None:
    found = thresholds.figures(TOLD)
    serving = json.loads((ROOT / "benchmarks/results/serving-cpu-2026-11-30.json").read_text())
    training = json.loads((ROOT / "benchmarks/results/training-cpu-2026-11-30.json").read_text())
    shares = [each["accepted_share"] for each in training["trainings"].values()]
    assert found["image_p95_seconds"] == pytest.approx(serving["poisson"]["p95_ms"]["ours"] / 1000)
    mean = sum(shares) / len(shares)
    assert found["accepted_share"] == pytest.approx(mean)
    squares = [(each - mean) ** 2 for each in shares]
    assert found["accepted_share_deviation"] ** 2 == pytest.approx(sum(squares) / len(squares))
    gateway = json.loads((ROOT / "benchmarks/results/gateway-cpu-2026-11-30.json").read_text())["figures"]
    assert found["get_p99_seconds"] == pytest.approx(gateway["unary_p99_ms"] / 1000)
    assert found["shot_overhead_seconds"] == pytest.approx(gateway["shot_overhead_ms"] / 1000)
    assert (found["promised_shoot_seconds"], found["erase_again_seconds"]) == (1800, 30)
    assert (found["gateway_start_seconds"], found["generator_start_seconds"]) == (2 * 60, 5 * 120)


def test_own_figures_make_own_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules, own = Path(shutil.copy(FOLDER / "rules.yaml", tmp_path)), tmp_path / "serving.json"
    own.write_text(json.dumps({"poisson": {"p95_ms": {"ours": 4200}}}))
    given = ["--rules", str(rules), "--figure", f"image_p95_seconds={own}", "--figure", "erase_again_seconds=60"]
    assert thresholds.main(given) == 1
    assert "rules.yaml has other limits" in capsys.readouterr().err
    assert thresholds.main([*given, "--write"]) == 0
    written = {
        rule["alert"]: rule["expr"]
        for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]
        if "alert" in rule
    }
    assert written["HeadshotsImagesWait"].endswith("> 42")
    assert written["HeadshotsErasureWaits"].endswith("> 3600")
    changed = {name for name, expr in written.items() if expr != alerts()[name]["expr"]}
    assert changed == {"HeadshotsImagesWait", "HeadshotsErasureOverdue", "HeadshotsErasureWaits"}
    assert thresholds.main(given) == 0


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        ("image_p95=1", "there is no figure image_p95: image_p95_seconds"),
        ("image_p95_seconds=nowhere.json", "image_p95_seconds is not at nowhere.json"),
        ("erase_again_seconds=some.json", "give a number"),
    ],
)
def test_a_figure_that_cannot_be_read_is_named_and_nothing_is_written(
    figure: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = Path(shutil.copy(FOLDER / "rules.yaml", tmp_path))
    assert thresholds.main(["--rules", str(rules), "--write", "--figure", figure]) == 2
    assert words in capsys.readouterr().err
    assert rules.read_text() == (FOLDER / "rules.yaml").read_text()


def test_the_page_has_a_row_for_every_limit_of_a_figure() -> None:
    section = PAGE.partition("\n### Limits of alerts\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (\S+) \| `(\w+)` (\S+) \| (\S+) \|", section, re.MULTILINE)
    found = thresholds.figures(TOLD)
    expected = [
        (
            limit.alert,
            thresholds.written(found[limit.figure] * limit.factor),
            limit.figure,
            f"{found[limit.figure]:g}",
            f"{limit.factor:g}",
        )
        for limit in thresholds.limits(TOLD)
    ]
    assert sorted(rows) == sorted(expected)
