"""Holds the figures and what they must reach."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.report import Target

LIBRARIES = ("torch", "diffusers", "peft", "transformers", "onnxruntime", "numpy", "grpcio")

TARGETS: Mapping[str, Target] = {
    "throughput_vs_preloaded_per_core": Target(2.8, False, "images/s, all at once, against set_adapters a request"),
    "throughput_vs_reload": Target(6.0, False, "the same against load_lora_weights a request"),
    "throughput_vs_grouped": Target(2.0, False, "the same against grouped by subject and batched"),
    "throughput_vs_mixed_peft": Target(1.5, False, "the same against batches of any subjects by adapter_names"),
    "throughput_vs_merged_ort": Target(1.2, False, "16 subjects × 1 image against merged ONNX Runtime sessions"),
    "throughput_vs_merged_ort_grouped": Target(0.95, False, "2 subjects × 8 images against the same, grouped"),
    "latency_alone_vs_preloaded": Target(0.5, True, "mean latency of one request alone, against set_adapters"),
    "p95_at_equal_load_vs_preloaded": Target(0.5, True, "p95 latency, each side at 0.7 of its own capacity"),
    "cold_adapter_vs_hotswap": Target(0.1, True, "file to first step, against diffusers' hotswap=True"),
    "cold_adapter_vs_merged_ort": Target(0.02, True, "the same against making a merged session"),
    "resident_subjects_per_gb_vs_merged_ort": Target(20.0, False, "subjects in memory, against merged sessions"),
    "bank_cost": Target(1.08, True, "a UNet call with the bank against without, worst number of rows"),
    "sd15_call_vs_peft": Target(1.3, False, "a UNet call of SD 1.5's size, fp32, worst of 2 and 4 rows"),
    "sd15_call_vs_merged_ort": Target(0.95, False, "the same against the graph with merged weights"),
    "memory_growth_2000_swaps": Target(1.02, True, "resident memory after all swaps over that after a quarter of them"),
    "grpc_vs_engine": Target(0.95, False, "images/s through the service against the engine in-process"),
}
