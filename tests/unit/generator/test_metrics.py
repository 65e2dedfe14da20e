"""The metrics' names are a contract with dashboards and autoscalers; their labels never name anybody."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from services.generator.metrics import Metrics

CONTRACT = {
    "requests_waiting": ("gauge", set()),
    "requests_running": ("gauge", set()),
    "requests_total": ("counter", {"status"}),
    "queue_seconds": ("histogram", set()),
    "request_seconds": ("histogram", {"status"}),
    "stage_seconds": ("histogram", {"stage"}),
    "batch_rows": ("histogram", set()),
    "steps_total": ("counter", set()),
    "adapter_loads_total": ("counter", {"tier"}),
    "adapter_load_seconds": ("histogram", {"tier"}),
    "adapter_cache_queries_total": ("counter", {"tier"}),
    "adapter_cache_hits_total": ("counter", {"tier"}),
    "slots_used": ("gauge", set()),
    "device_memory_bytes": ("gauge", set()),
    "content_certificate_expiry_timestamp_seconds": ("gauge", set()),
}


def test_names_types_and_labels() -> None:
    """All of them are there before anything happens, so that rates have a beginning."""
    registry = CollectorRegistry()
    Metrics(registry)
    found = {
        metric.name.removeprefix("headshots_generator_") + ("_total" if metric.type == "counter" else ""): (
            metric.type,
            {label for sample in metric.samples for label in sample.labels} - {"le"},
        )
        for metric in registry.collect()
    }
    assert found == CONTRACT
    scraped = generate_latest(registry).decode()
    for status in ("ok", "cancelled", "refused", "error"):
        assert f'headshots_generator_requests_total{{status="{status}"}} 0.0' in scraped


def test_what_is_watched_is_read_when_scraped() -> None:
    registry, numbers = CollectorRegistry(), [0.0]
    metrics = Metrics(registry)
    assert metrics.work() == 0
    metrics.watch(waiting=lambda: numbers[0], running=lambda: 2, slots=lambda: 3)
    numbers[0] = 7
    assert registry.get_sample_value("headshots_generator_requests_waiting") == 7
    assert registry.get_sample_value("headshots_generator_slots_used") == 3
    assert metrics.work() == 9, "what its pod's deletion cost is"
    with metrics.stage("unet"), metrics.load("store"):
        pass
    assert registry.get_sample_value("headshots_generator_stage_seconds_count", {"stage": "unet"}) == 1
    assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 1
