"""Reads what TensorRT's ONNX parser takes, as NVIDIA publishes it: ``operators.json``, with source and version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("operators.json")


@dataclass(frozen=True)
class Operator:
    """A supported operator: the data types it takes, as TensorRT names them, and its restrictions."""

    types: frozenset[str]
    rules: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Support:
    """The table.

    Attributes:
        source, version: where it is from, and of which TensorRT it tells.
        opsets: the first and the last that are taken.
        operators: by name; None: known and not supported.
    """

    source: str
    version: str
    opsets: tuple[int, int]
    operators: Mapping[str, Operator | None]

    @classmethod
    @cache
    def published(cls) -> Support:
        """The table that is shipped."""
        value = json.loads(_FILE.read_text("utf-8"))
        operators = {
            name: None if facts is None else Operator(frozenset(facts["types"]), tuple(facts.get("rules", ())))
            for name, facts in value["operators"].items()
        }
        return cls(value["source"], value["version"], (value["opsets"][0], value["opsets"][1]), operators)
