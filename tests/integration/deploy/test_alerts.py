"""Each alert fires when it should and not when it should not, by Prometheus' own rule tests, and has its runbook."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.support.deploy.prometheus import program
from tests.support.deploy.tree import QUICK_LOADER, build
from tests.support.paths import ROOT

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


@pytest.mark.parametrize("link", ["", "https://git.example.com/docs/runbooks.md"])
def test_the_operator_gets_every_rule_as_it_is_with_a_link_where_one_is_named(link: str) -> None:
    from cloudcoil.models.prometheus_operator.v1 import PrometheusRule

    done = subprocess.run(
        [ROOT / "deploy" / "alert-rules.sh"],
        env={**os.environ, "NAMESPACE": "portraits", "RUNBOOKS_URL": link},
        capture_output=True,
        text=True,
        check=True,
    )
    found = list(yaml.safe_load_all(done.stdout))
    for resource, name in zip(found, FILES, strict=True):
        PrometheusRule.model_validate(resource)
        assert resource["metadata"] == {"name": f"headshots-{name.removesuffix('.yaml')}", "namespace": "portraits"}
        expected = yaml.safe_load((FOLDER / name).read_text())
        for rule in (rule for group in expected["groups"] for rule in group["rules"] if link and "alert" in rule):
            told = rule["annotations"].pop("runbook")
            rule["annotations"]["runbook_url"] = told.replace("docs/runbooks.md", link)
        assert resource["spec"] == expected


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


def test_the_first_minutes_name_what_the_manifests_have_and_what_the_services_log() -> None:
    section = RUNBOOKS.partition("## The first minutes\n")[2].partition("\n## ")[0]
    manifests = build("overlays/production")
    there = {(each["kind"].lower(), each["metadata"]["name"]) for each in manifests}
    kinds = {"deploy": "deployment", "hpa": "horizontalpodautoscaler"}
    named = re.findall(r"\b(deploy|deployment|scaledobject|hpa)[/ ]([a-z-]+)\b", section)
    assert {kinds.get(kind, kind) for kind, _ in named} == {"deployment", "scaledobject", "horizontalpodautoscaler"}
    assert {(kinds.get(kind, kind), name) for kind, name in named} <= there
    painting, outcomes = (
        ROOT / "services" / name for name in ("gateway/painting/worker.py", "trainer/workers/outcomes.py")
    )
    assert "grep ', attempt '" in section
    assert '"%s, attempt %d: %s"' in painting.read_text()
    assert "grep -E ': failed: |was lost'" in section
    assert '"training %s: failed: %s: %s"' in outcomes.read_text()
    assert '"training %s: run %d was lost: %s"' in outcomes.read_text()
