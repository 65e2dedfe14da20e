"""The dashboard over a platform that works: a real Prometheus answers every query of every panel with numbers.

No Grafana is on the package indexes; what it would put in for its variables, this puts in.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from foundry.portraits import held_out_seed, sample_identity, sample_selfies
from headshots.client import AsyncHeadshots, TrainingOptions
from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.settings import default_foundation
from tests.support.consents import CONSENT
from tests.support.deploy.prometheus import Prometheus, start_prometheus
from tests.support.foundations.engines import bundled_package
from tests.support.kubernetes_api import FakeKubernetes, fake_kubernetes
from tests.support.live_platform import SERVICES, LivePlatform
from tests.support.paths import ROOT
from tests.support.ports import free_port
from tests.support.waiting import until

# Some minutes, as only the bundled foundation paints faces whose likeness can be measured, and its package is exported
# first: `pytest -m slow tests/e2e/test_dashboard.py`.
pytestmark = pytest.mark.slow

DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/headshots.json").read_text())
RECIPE = TrainingOptions(steps=10, batch_rows=4, seed=1)
PERSON = held_out_seed(0)
# As Grafana writes "All" of the namespaces (allValue) and of the services, and an interval four times that of scrapes.
VARIABLES = {"$namespace": ".*", "$service": "(gateway|trainer|generator)", "$__rate_interval": "1m"}


def targets() -> Iterator[tuple[str, dict[str, str]]]:
    for panel in DASHBOARD["panels"]:
        yield from ((panel["title"], target) for target in panel.get("targets", ()))


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {name: free_port() for name in SERVICES}


@pytest.fixture(scope="module")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeKubernetes]:
    with fake_kubernetes(tmp_path_factory.mktemp("pod") / "account") as fake:
        yield fake


@pytest.fixture(scope="module")
def platform(
    tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int], kubernetes: FakeKubernetes
) -> Iterator[LivePlatform]:
    environment = {f"HEADSHOTS_{name.upper()}_METRICS_PORT": str(port) for name, port in ports.items()}
    environment |= {"HEADSHOTS_POD_NAME": "headshots-0", **kubernetes.environment}
    environment |= {"HEADSHOTS_GATEWAY_FACES": "bundled", "HEADSHOTS_TRAINER_FACES": "bundled"}
    foundation, home = default_foundation(), tmp_path_factory.mktemp("platform")
    with LivePlatform(home, foundation, bundled_package().folder, environment) as platform:
        yield platform


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Prometheus]:
    rules = [ROOT / "deploy" / "prometheus" / name for name in ("rules.yaml", "slo.yaml")]
    started = start_prometheus(tmp_path_factory.mktemp("prometheus"), free_port(), ports, rules)
    yield started
    started.end()


async def work(client: AsyncHeadshots) -> None:
    """A training, a shoot, an upload that is refused, and a call that is."""
    noun = sample_identity(PERSON).class_noun
    subject = await client.create_subject("Ada", class_noun=noun, consent=CONSENT)
    with pytest.raises(InvalidArgumentError):
        await client.upload_photos(subject, [b"no photo"])
    await client.upload_photos(subject, sample_selfies(PERSON, 6))
    await client.train(subject, RECIPE)
    await client.shoot(subject, styles=["studio-navy-suit"], count=2)


async def is_refused(client: AsyncHeadshots) -> None:
    with pytest.raises(NotFoundError):
        await client.get_subject("subjects/none")


def scrapes(prometheus: Prometheus, since: float) -> int:
    """How often all three services have answered since a time."""
    found = prometheus.query("query", query=f"count_over_time(up[{max(1, round(time.time() - since))}s])")["result"]
    return min((int(float(one["value"][1])) for one in found), default=0) if len(found) == len(SERVICES) else 0


async def watched_at_work(platform: LivePlatform, prometheus: Prometheus) -> tuple[float, float]:
    began = time.time()
    await until(prometheus.answers)
    await until(lambda: scrapes(prometheus, began) >= 2)
    async with platform.client() as client:
        # A code that a method has not answered before is a new series, whose first value is no increase.
        await is_refused(client)
        began_to_refuse = time.time()
        await until(lambda: scrapes(prometheus, began_to_refuse) >= 2)
        await is_refused(client)
        await work(client)
        ended = time.time()
        await until(lambda: scrapes(prometheus, ended) >= 3)
    return began, time.time()


@pytest.fixture(scope="module")
def worked(platform: LivePlatform, prometheus: Prometheus) -> tuple[float, float]:
    """From when to when the platform worked while it was watched."""
    return asyncio.run(watched_at_work(platform, prometheus))


def lines(prometheus: Prometheus, expression: str, span: tuple[float, float]) -> list[dict[str, Any]]:
    """The lines that a panel draws: those with a number in them."""
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    start, end = (f"{moment:.3f}" for moment in span)
    found = prometheus.query("query_range", query=expression, start=start, end=end, step="1")["result"]
    return [one for one in found if any(math.isfinite(float(value)) for _, value in one["values"])]


def test_every_panel_draws_lines_with_their_names(worked: tuple[float, float], prometheus: Prometheus) -> None:
    empty, nameless = set(), []
    for title, target in targets():
        drawn = lines(prometheus, target["expr"], worked)
        if not drawn:
            empty.add(title)
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            nameless += [(title, label) for line in drawn if label not in line["metric"]]
    assert empty == set()
    assert nameless == []


def test_the_top_row_tells_what_is_up_and_what_was_refused(worked: tuple[float, float], prometheus: Prometheus) -> None:
    found: dict[str, float] = {}
    for title, target in targets():
        for line in lines(prometheus, target["expr"], worked):
            name = line["metric"].get("service", target["legendFormat"]) if title == "Up" else target["legendFormat"]
            found[f"{title}: {name}"] = max(float(value) for _, value in line["values"])
    assert {found[f"Up: {name}"] for name in SERVICES} == {1}
    assert found["Refused or failed, a minute: calls"] > 0
    assert found["Refused or failed, a minute: uploads"] > 0
    assert found["Refused or failed, a minute: trainings"] == 0


async def test_a_healthy_platform_fires_no_alert(worked: tuple[float, float], prometheus: Prometheus) -> None:
    await until(lambda: all(rule["health"] == "ok" for rule in rules(prometheus)))
    assert rules(prometheus)
    assert [rule["name"] for rule in rules(prometheus) if rule.get("state") == "firing"] == []


def rules(prometheus: Prometheus) -> list[dict[str, Any]]:
    return [rule for group in prometheus.query("rules")["groups"] for rule in group["rules"]]


async def test_kubernetes_was_told_of_work_and_of_its_end(
    worked: tuple[float, float], kubernetes: FakeKubernetes
) -> None:
    await until(lambda: kubernetes.costs("headshots-0")[-1:] == [0])
    # Both services have one pod's name here. A tiny image may fall between two looks; a training takes longer.
    assert max(kubernetes.costs("headshots-0")) >= 1


async def test_prometheus_is_lost_and_the_platform_does_not_mind(
    worked: tuple[float, float], prometheus: Prometheus, platform: LivePlatform
) -> None:
    """Last in this file: no service calls Prometheus, so nobody waits for it, and scaling asks the gateways."""
    prometheus.end()
    async with platform.client() as client:
        await work(client)
    assert not any(platform.has_ended(name) for name in SERVICES)
