"""Defines policies: how many generators and trainers there are, when they come and go, and who gets which request."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from headshots.errors import InvalidArgumentError

ROUTINGS = ("adapter", "least_loaded", "round_robin")
"""How a request finds its replica: as the gateway does, to who has the fewest, or to each in turn."""


def _number(default: float, least: float, most: float = math.inf) -> float:
    """A field with its limits."""
    return field(default=default, metadata={"least": least, "most": most})


def _count(default: int, least: int, most: int = 1_000_000) -> int:
    return field(default=default, metadata={"least": least, "most": most})


@dataclass(frozen=True)
class Policy:
    """What is tried. Defaults are those of `deploy/k8s/components/keda` and of the services' settings."""

    min: int = _count(0, 0, 1000)
    """Generators that always run."""
    max: int = _count(8, 1, 1000)
    """Generators at most."""
    per_replica: float = _number(8, 0.01)
    """Shots for which KEDA wants one generator."""
    cold_start_seconds: float = _number(60, 0)
    """From the wish for a generator to its first request."""
    scale_down_seconds: float = _number(300, 0)
    """For which generators must have been too many before one goes."""
    to_zero_seconds: float = _number(600, 0)
    """Without any work before the last replica goes, generators and trainers alike."""
    scale_poll_seconds: float = _number(15, 0.1)
    """Between two looks of KEDA."""
    routing: str = "adapter"
    """Of `ROUTINGS`."""
    batch: int = _count(8, 1, 4096)
    """Images that a generator paints at once."""
    slots: int = _count(16, 2, 65_536)
    """Of a generator, one of them the bare foundation's."""
    host_adapters: int = _count(64, 1)
    """That fit into a generator's memory."""
    disk_adapters: int = _count(256, 1)
    """That fit onto a generator's disk."""
    gateways: int = _count(2, 1, 1000)
    in_flight: int = _count(16, 1)
    """Shots that a gateway has under way at once."""
    generator_poll_seconds: float = _number(2, 0.01)
    """Between two looks of a gateway at the generators."""
    trainers_min: int = _count(0, 0, 1000)
    trainers_max: int = _count(8, 1, 1000)
    trainers_cold_start_seconds: float = _number(60, 0)
    trainers_scale_down_seconds: float = _number(900, 0)
    price_per_hour: float = _number(0, 0)
    """Of a generator, in any currency."""
    trainers_price_per_hour: float = _number(0, 0)


def parse_policy(values: Mapping[str, object], where: str) -> Policy:
    """A policy of values by key; the others keep their defaults.

    Raises:
        InvalidArgumentError: POLICY_INVALID.
    """
    known = {one.name: one for one in dataclasses.fields(Policy)}
    found: dict[str, object] = {}
    for key, value in values.items():
        if key not in known:
            raise _invalid(f"{where} has no key {key!r}; known are {', '.join(known)}")
        found[key] = _routing(value, where) if key == "routing" else _value(known[key], value, where)
    policy = dataclasses.replace(Policy(), **found)  # type: ignore[arg-type]
    for least, most, what in (
        (policy.min, policy.max, "min and max"),
        (policy.trainers_min, policy.trainers_max, "trainers_min and trainers_max"),
    ):
        if least > most:
            raise _invalid(f"{where}: {what} are {least} and {most}; the first is at most the second")
    return policy


def parse_text(text: str) -> tuple[str, Policy]:
    """`NAME`, or `NAME=key:value,key:value`, as an option has it. Raises as `parse_policy`."""
    name, _, rest = text.partition("=")
    if not name.strip():
        raise _invalid(f"{text!r} names no policy; write NAME=min:0,max:4")
    values: dict[str, object] = {}
    for part in filter(None, (each.strip() for each in rest.split(","))):
        key, colon, value = part.partition(":")
        if not colon:
            raise _invalid(f"policy {name}: {part!r} is no key:value, as max:4")
        if key.strip() in values:
            raise _invalid(f"policy {name} has {key.strip()} twice")
        values[key.strip()] = value.strip()
    return name.strip(), parse_policy(values, f"policy {name.strip()}")


def read_policies(path: Path) -> dict[str, Policy]:
    """Of a YAML file: names, and the keys of each. Raises as `parse_policy`, and OSError."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # A parser's message names the line.
        raise _invalid(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not document:
        raise _invalid(f"{path} has no policies; write a name and below it, indented, max: 4")
    found = {}
    for name, values in document.items():
        if not isinstance(values or {}, dict):
            raise _invalid(f"{path}: policy {name} is no mapping; write below its name, indented, max: 4")
        found[str(name)] = parse_policy({str(key): value for key, value in (values or {}).items()}, f"policy {name}")
    return found


def _routing(value: object, where: str) -> str:
    if value not in ROUTINGS:
        raise _invalid(f"{where}: routing is {value!r}; known are {', '.join(ROUTINGS)}")
    return str(value)


def _value(known: dataclasses.Field[object], value: object, where: str) -> float:
    least, most, is_count = known.metadata["least"], known.metadata["most"], known.type == "int"
    try:
        number = float(str(value)) if not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not (least <= number <= most and math.isfinite(number)) or (is_count and number != int(number)):
        upper = f" to {most:g}" if most < math.inf else " or more"
        kind = "a whole number, " if is_count else ""
        raise _invalid(f"{where}: {known.name} is {value!r}; it is {kind}{least:g}{upper}")
    return int(number) if is_count else number


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError("POLICY_INVALID", message)
