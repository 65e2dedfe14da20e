"""Installs the analyzer `people`: files of packages, checked and converted. Needs the package `onnx`."""
