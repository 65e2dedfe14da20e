"""Holds the figures and what they must reach, and writes them down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks import report as shared
from benchmarks.report import Target

_LIBRARIES = ("torch", "diffusers", "peft", "transformers", "onnxruntime", "numpy", "grpcio")

TARGETS: Mapping[str, Target] = {
    "throughput_vs_preloaded": Target(3.0, False, "images/s, all at once, against set_adapters a request"),
    "throughput_vs_reload": Target(6.0, False, "the same against load_lora_weights a request"),
    "throughput_vs_grouped": Target(2.0, False, "the same against grouped by subject and batched"),
    "latency_alone_vs_preloaded": Target(0.5, True, "mean latency of one request alone, against set_adapters"),
    "p95_poisson_vs_preloaded": Target(0.3, True, "p95 latency under Poisson arrivals, against set_adapters"),
    "hotload_vs_load_lora": Target(0.01, True, "host row to slot, against load_lora_weights"),
    "bank_cost": Target(1.1, True, "a UNet call with the bank against without, worst number of rows"),
    "memory_growth_2000_swaps": Target(1.02, True, "resident memory after all swaps over that after the first tenth"),
    "grpc_vs_engine": Target(0.95, False, "images/s through the service against the engine in-process"),
}


def report(figures: Mapping[str, float], details: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that goes into the file; a figure that was not measured is null there."""
    return shared.report(TARGETS, figures, _LIBRARIES, details)


def show(result: Mapping[str, Any]) -> None:
    """The table."""
    shared.show(f"serving {result['foundation']['name']}: ours against stock diffusers and PEFT", TARGETS, result)
