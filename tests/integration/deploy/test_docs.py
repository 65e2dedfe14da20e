"""docs/operations.md names every setting with its default and every metric, and no others."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from headshots.database import migrate, open_database
from headshots.marking.settings import MarkingSettings
from headshots.pods.settings import PodSettings
from headshots.rpc.counting import MetricsInterceptor
from headshots.rpc.internal.expiry import expiry_gauge
from headshots.rpc.internal.settings import InternalSettings
from services.gateway.metrics import GatewayMetrics
from services.gateway.settings import GatewaySettings
from services.generator.metrics import Metrics as GeneratorMetrics
from services.generator.settings import GeneratorSettings
from services.trainer.metrics import Metrics as TrainerMetrics
from services.trainer.settings import TrainerSettings
from tests.support.deploy.tree import ROOT

PAGE = (ROOT / "docs/operations.md").read_text()
ROW = re.compile(r"^\| `([A-Za-z0-9_]+)` \| ([^|]*) \| [^|]+ \|$", re.MULTILINE)


def _section(title: str) -> str:
    (_, _, rest) = PAGE.partition(f"# {title}\n")
    assert rest, f"no section {title}"
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return "—"
    return "`unset`" if field.default is None else f"`{field.default}`"


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        ("GATEWAY", GatewaySettings),
        ("TRAINER", TrainerSettings),
        ("GENERATOR", GeneratorSettings),
        ("INTERNAL", InternalSettings),
        ("MARKING", MarkingSettings),
        ("POD", PodSettings),
    ],
)
def test_every_setting_stands_there_with_its_default(service: str, settings: Any) -> None:
    written = dict(ROW.findall(_section(f"`HEADSHOTS_{service}_…`")))
    # These have variables of their own.
    fields = [field for field in dataclasses.fields(settings) if field.name not in ("internal", "marking", "pod")]
    assert written == {field.name.upper(): _default(field) for field in fields}


def test_every_metric_stands_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('metrics') / 'headshots.db'}")
    migrate(engine)
    registries = [CollectorRegistry() for _ in range(4)]
    MetricsInterceptor(registries[0])
    expiry_gauge(registries[0])
    GatewayMetrics(registries[1], engine)
    TrainerMetrics(registries[2], engine, "digest")
    GeneratorMetrics(registries[3])
    exported = {
        family.name + ("_total" if family.type == "counter" else "")
        for registry in registries
        for family in registry.collect()
    }
    engine.dispose()
    assert {name for name, _ in ROW.findall(_section("Metrics"))} == exported
