"""Opens ONNX graphs on the CPU, as analyzers run them. Imports onnxruntime only."""

from __future__ import annotations

import onnxruntime as ort

LOAD_ERRORS = (
    ort.capi.onnxruntime_pybind11_state.InvalidProtobuf,
    ort.capi.onnxruntime_pybind11_state.InvalidGraph,
    ort.capi.onnxruntime_pybind11_state.Fail,
)
"""What `open_session` raises for bytes that are no graph."""


def open_session(graph: bytes, threads: int) -> ort.InferenceSession:
    """A session with so many threads; it may be run from several threads at once."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait take the cores from trainings and generators beside.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
