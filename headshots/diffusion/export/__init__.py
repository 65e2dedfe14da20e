"""Exports a foundation as an engine package: traced ONNX graphs, tokenizers and ``engine.json``."""
