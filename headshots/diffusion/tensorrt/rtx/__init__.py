"""Builds engines of TensorRT for RTX ahead of time, without a GPU, and runs them on one.

A library of its own beside TensorRT: it has a parser, a builder and a run time, and comes from the package index.
"""
