"""Tests that the code exports every metric and label that an alert or a dashboard asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from headshots.database import migrate, open_database
from headshots.rpc.counting import MetricsInterceptor
from headshots.rpc.internal.expiry import expiry_gauge
from services.gateway.metrics import GatewayMetrics
from services.generator.metrics import Metrics as GeneratorMetrics
from services.trainer.metrics import Metrics as TrainerMetrics
from tests.support.deploy.tree import ROOT, SERVICES, build, of_kind, pod_spec

METRIC = re.compile(r"\b(?:headshots|grpc_server)_[a-z_]+\b")
SELECTOR = re.compile(METRIC.pattern + r"\{([^}]*)\}")
MATCHER = re.compile(r"(\w+)(=~|=|!=|!~)\"([^\"]*)\"")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}

RULES: list[dict[str, Any]] = [
    yaml.safe_load((ROOT / "deploy/prometheus" / name).read_text()) for name in ("rules.yaml", "slo.yaml")
]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/headshots.json").read_text())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """Every series name that the three services export, with the label values that are there from the start."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('metrics') / 'headshots.db'}")
    migrate(engine)
    names: dict[str, dict[str, set[str]]] = {}
    gateway, trainer, generator = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
    GatewayMetrics(gateway, engine)
    TrainerMetrics(trainer, engine, "digest")
    GeneratorMetrics(generator)
    expiry_gauge(generator)
    for registry in (gateway, trainer, generator):
        MetricsInterceptor(registry)
        for family in registry.collect():
            values: dict[str, set[str]] = {}
            for sample in family.samples:
                for label, value in sample.labels.items():
                    values.setdefault(label, set()).add(value)
            for suffix in SUFFIXES[family.type]:
                names[family.name + suffix] = values
    engine.dispose()
    return names


def _alerts() -> Iterator[str]:
    for group in _groups():
        yield from (rule["expr"] for rule in group["rules"])


def _groups() -> Iterator[dict[str, Any]]:
    for rules in RULES:
        yield from rules["groups"]


def _panels() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


@pytest.mark.parametrize("queries", [_alerts, _panels])
def test_every_metric_is_exported(queries: Any, exported: dict[str, dict[str, set[str]]]) -> None:
    asked = [name for query in queries() for name in METRIC.findall(query)]
    assert asked
    assert not set(asked) - exported.keys()


@pytest.mark.parametrize("queries", [_alerts, _panels])
def test_every_label_value_that_is_asked_for_occurs(queries: Any, exported: dict[str, dict[str, set[str]]]) -> None:
    for query in queries():
        for selector in SELECTOR.finditer(query):
            name = selector[0].partition("{")[0]
            for label, operator, value in MATCHER.findall(selector[1]):
                known = exported[name].get(label)
                if known and operator in ("=", "=~") and not value.startswith("$"):
                    assert set(value.split("|")) <= known, (query, label, value)


def test_alerts_are_well_formed() -> None:
    from cloudcoil.models.prometheus_operator.v1 import PrometheusRule

    for rules in RULES:
        PrometheusRule.model_validate({"metadata": {}, "spec": rules})
    for group in _groups():
        for rule in group["rules"]:
            if "record" in rule:
                assert rule.keys() == {"record", "expr"}
                continue
            assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
            assert rule["labels"]["severity"] in ("page", "warn")
            assert rule["annotations"].keys() == {"summary", "action", "runbook"}


def test_the_scrape_configuration_knows_the_services_ports() -> None:
    scrapes = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())["scrape_configs"]
    found = {
        static["labels"]["service"]: int(static["targets"][0].rpartition(":")[2])
        for static in scrapes[0]["static_configs"]
    }
    manifests = {}
    for deployment in of_kind(build("base"), "Deployment"):
        (container,) = pod_spec(deployment)["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        manifests[deployment["metadata"]["name"]] = ports["metrics"]
    assert found == manifests
    assert found.keys() == set(SERVICES)


def test_the_dashboard_is_whole() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]
    assert len(set(taken)) == len(taken)


def test_the_dashboard_opens_with_what_is_wrong_now_then_with_quality() -> None:
    rows: dict[str, list[dict[str, Any]]] = {}
    for panel in sorted(DASHBOARD["panels"], key=lambda each: (each["gridPos"]["y"], each["gridPos"]["x"])):
        if panel["type"] == "row":
            row = rows.setdefault(panel["title"], [])
        else:
            row.append(panel)
    assert list(rows) == ["Now", "Quality", "Calls", "Gateway", "Generator", "Trainer"]
    first = [(panel["type"], panel["title"]) for panel in rows["Now"]]
    assert first == [("stat", title) for title in ("Up", "Waiting", "Late", "Refused or failed, a minute")]
    asked = " ".join(target["expr"] for panel in rows["Quality"] for target in panel["targets"])
    assert all(name in asked for name in ("_image_verdicts_total", "_image_likeness_", "_trainer_verdicts_total"))


def test_no_two_panels_lie_over_one_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
    assert max(x for x, _ in taken) == 23
