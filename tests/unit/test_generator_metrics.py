"""The metrics' names are a contract with dashboards and autoscalers; their labels never name anybody."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from services.generator.metrics import Metrics

NAMES = {
    "requests_waiting", "requests_running", "requests_total", "queue_seconds", "request_seconds", "stage_seconds",
    "batch_rows", "steps_total", "adapter_loads_total", "adapter_load_seconds", "adapter_cache_queries_total",
    "adapter_cache_hits_total", "slots_used", "device_memory_bytes",
}  # fmt: skip


def test_names_and_labels() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    families = {metric.name: metric for metric in registry.collect()}
    counters = {name for name, metric in families.items() if metric.type == "counter"}
    found = {name + ("_total" if name in counters else "") for name in families}
    assert found == {f"headshots_generator_{name}" for name in NAMES}
    labels = {label for metric in families.values() for sample in metric.samples for label in sample.labels}
    assert labels <= {"status", "stage", "tier", "le"}
    assert b'requests_total{status="ok"} 0.0' in generate_latest(registry), "rates have a beginning"


def test_what_is_watched_is_read_when_scraped() -> None:
    registry, numbers = CollectorRegistry(), [0.0]
    metrics = Metrics(registry)
    metrics.watch(waiting=lambda: numbers[0], running=lambda: 2, slots=lambda: 3)
    numbers[0] = 7
    assert registry.get_sample_value("headshots_generator_requests_waiting") == 7
    assert registry.get_sample_value("headshots_generator_slots_used") == 3
    with metrics.stage("unet"), metrics.load("store"):
        pass
    assert registry.get_sample_value("headshots_generator_stage_seconds_count", {"stage": "unet"}) == 1
    assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 1
