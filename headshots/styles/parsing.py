"""Reads short YAML documents by libyaml, which takes a fraction of the time of PyYAML's parser in Python."""

from __future__ import annotations

import contextlib
from typing import Any

import yaml

SHORT = 4096
"""Characters. Longer texts are left to the parser in Python: libyaml's calls itself for every bracket, without a limit,
and some tens of thousands of them end the process."""


def parse_yaml(text: str) -> Any:
    """The only document of a text, None where it has none.

    Raises:
        yaml.YAMLError: it is not YAML; shows the line.
        RecursionError: it is nested too deeply.
    """
    if len(text) <= SHORT and yaml.__with_libyaml__:
        # What is wrong tells the parser in Python, which has the line itself to show.
        with contextlib.suppress(yaml.YAMLError):
            return yaml.load(text, Loader=yaml.CSafeLoader)
    return yaml.safe_load(text)
