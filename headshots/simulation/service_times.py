"""Holds how long trainings and images take: told, or read from what the benchmarks wrote."""

from __future__ import annotations

import bisect
import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headshots.errors import FailedPreconditionError, InvalidArgumentError


@dataclass(frozen=True)
class ServiceTimes:
    """In seconds."""

    image_seconds: Mapping[int, float]
    """Of an image while so many are painted at once by its generator; between two of them by a straight line."""
    training_seconds: float = 0.0
    """0: nobody is trained."""
    overhead_seconds: float = 0.0
    """Of an image beside its place in the generator's batch: decoding, marking, judging, calls."""
    load_seconds: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of an adapter that is in memory, on disk, in the store."""
    spread: float = 0.2
    """Work differs by as much, at random and evenly, up and down."""

    def image(self, at_once: int) -> float:
        """Seconds of an image while `at_once` are painted; beyond those that are known each adds as the last ones."""
        known = sorted(self.image_seconds)
        if len(known) == 1 or at_once <= known[0]:
            return self.image_seconds[known[0]]
        right = min(max(bisect.bisect_left(known, at_once), 1), len(known) - 1)
        low, high = known[right - 1], known[right]
        slope = (self.image_seconds[high] - self.image_seconds[low]) / (high - low)
        # Never less than what one fewer takes, however odd the measurements are.
        return max(self.image_seconds[low] + slope * (at_once - low), 1e-6)


def parse_image_seconds(text: str) -> dict[int, float]:
    """`0.4`, or `1:0.4,8:3.2`: seconds of an image while 1 and 8 are painted at once.

    Raises:
        InvalidArgumentError: TIMES_INVALID.
    """
    found: dict[int, float] = {}
    for part in text.split(","):
        left, colon, right = part.partition(":")
        count, seconds = (left, right) if colon else ("1", left)
        if not count.strip().isdecimal() or int(count) < 1 or int(count) in found:
            raise _invalid(f"{text!r}: {part.strip()!r} is no IMAGES:SECONDS, as 1:0.4,8:3.2, each number once")
        found[int(count)] = _seconds(seconds, f"{text!r}: an image", least=1e-6)
    return found


def check(times: ServiceTimes) -> ServiceTimes:
    """The same.

    Raises:
        InvalidArgumentError: TIMES_INVALID, for a time or a spread that cannot be.
    """
    _seconds(times.training_seconds, "a training")
    _seconds(times.overhead_seconds, "what an image takes beside the batch")
    if not 0 <= times.spread < 1:
        raise _invalid(f"the spread is {times.spread:g}; it is 0 or more and below 1")
    return times


def read_times(paths: list[Path], told: ServiceTimes) -> ServiceTimes:
    """What benchmarks measured (`out/bench/serving.json`, `training.json`), where `told` does not say.

    Raises:
        InvalidArgumentError: TIMES_INVALID.
        FailedPreconditionError: TIMES_MISSING.
        OSError: a file cannot be read.
    """
    images, training = dict(told.image_seconds), told.training_seconds
    for path in paths:
        found_images, found_training = _measured(path)
        images, training = images or found_images, training or found_training
    if not images:
        raise FailedPreconditionError(
            "TIMES_MISSING",
            "how long an image takes is not known; say --image-seconds 1:0.4,8:3.2, or --times out/bench/serving.json, "
            "which `make bench-serving` writes",
        )
    return check(replace(told, image_seconds=images, training_seconds=training))


def _measured(path: Path) -> tuple[dict[int, float], float]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise _invalid(f"{path} is no JSON ({error})") from error
    if not isinstance(document, dict):
        raise _invalid(f"{path} is not what a benchmark wrote; `make bench-serving` writes out/bench/serving.json")
    try:
        images = _images(document)
        training = document.get("figures", {}).get("seconds_per_training", 0.0)
    except (KeyError, TypeError, ValueError, AttributeError, statistics.StatisticsError) as error:
        raise _invalid(f"{path} is not as the benchmarks write it: {error!r}") from error
    if not images and not training:
        raise _invalid(f"{path} tells neither of images (latency_alone_ms) nor of trainings (seconds_per_training)")
    return images, _seconds(training, f"{path}: a training")


def _images(document: Mapping[str, Any]) -> dict[int, float]:
    """Of `make bench-serving`: an image alone, and the batch's images together, as a burst of them ended."""
    if "latency_alone_ms" not in document:
        return {}
    alone = statistics.median(document["latency_alone_ms"]["ours"]) / 1000
    settings = document["settings"]
    at_once = max(int(settings["max_rows"]) // 2, 2)
    # A burst of requests keeps the batch full; each is painted for as many seconds as the batch's images take.
    together = at_once / float(document["images_per_second"]["ours"])
    return {1: _seconds(alone, "an image", least=1e-6), at_once: _seconds(max(together, alone), "an image")}


def _seconds(value: object, what: str, least: float = 0.0) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = math.nan
    if not least <= seconds <= 86_400 * 7:
        raise _invalid(f"{what} takes {value!r} seconds; a number above 0, at most a week's, is needed")
    return seconds


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError("TIMES_INVALID", message)
