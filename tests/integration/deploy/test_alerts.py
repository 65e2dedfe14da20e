"""Each alert fires when it should and not when it should not, by Prometheus' own rule tests, and has its runbook."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.deploy.prometheus import program
from tests.support.deploy.tree import QUICK_LOADER, ROOT

FOLDER = ROOT / "deploy" / "prometheus"
FILES = ("rules.yaml", "slo.yaml")
CASES = (FOLDER / "tests.yaml", FOLDER / "tests-of-days.yaml")
TESTS: list[dict[str, Any]] = [yaml.load(file.read_text(), QUICK_LOADER) for file in CASES]
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text()


def alerts() -> dict[str, dict[str, Any]]:
    groups = [group for name in FILES for group in yaml.load((FOLDER / name).read_text(), QUICK_LOADER)["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


def test_the_rules_do_what_their_cases_say() -> None:
    done = subprocess.run([program("promtool"), "test", "rules", *CASES], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    cases: dict[str, set[bool]] = {}
    for case in (case for file in TESTS for case in file["tests"]):
        (asked,) = case["promql_expr_test"]
        (name,) = re.findall(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}', asked["expr"])
        assert case["name"].startswith(name)
        cases.setdefault(name, set()).add(bool(asked["exp_samples"]))
    assert cases == {name: {True, False} for name in alerts()}


def test_prometheus_loads_every_file_of_rules() -> None:
    assert yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["rule_files"] == list(FILES)
    assert all(file["rule_files"] == list(FILES) for file in TESTS)


def test_every_alert_has_its_section_in_the_runbooks_and_no_other_has_one() -> None:
    assert sorted(re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)) == sorted(alerts())
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{name.lower()}"


@pytest.mark.parametrize("name", sorted(alerts()))
def test_a_runbook_says_what_is_felt_where_to_look_and_what_helps(name: str) -> None:
    section = RUNBOOKS.partition(f"## {name}\n")[2].partition("\n## ")[0].lower()
    assert "**felt**" in section
    assert "**look**" in section
    assert "**do**" in section
