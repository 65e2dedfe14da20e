"""Measures marked files: what writing one costs over encoding alone, and whether a changed byte is noticed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from benchmarks.promises.pictures import pictures
from benchmarks.promises.report import Order
from benchmarks.report import Measured
from headshots.marking.authority import AUTHORITY
from headshots.marking.manifest import read_manifest
from headshots.marking.settings import MarkingSettings
from headshots.marking.verification import SignatureState
from services.generator.images.encoding import CONTENT_TYPES, encode
from services.generator.images.marking import Marker

_LARGE_PX, _SIZE_PX = 1024, 512
_QUALITY = 92
_TIMED_IMAGES = 4


def run_time(order: Order) -> Measured:
    """CPU milliseconds of marking; of the formats the slowest, of the images the median."""
    marker, beyond = _marker(order), {}
    for extension in CONTENT_TYPES:
        costs = []
        for pixels in pictures(_TIMED_IMAGES, order.seed, _LARGE_PX, order.photo):
            encoding = partial(encode, pixels, extension, _QUALITY)
            marking = partial(marker.write, "bench", pixels, extension, _QUALITY, None)
            plain, marked = (_seconds(action, order.scale.repeats) for action in (encoding, marking))
            costs.append(1000 * (marked - plain))
        beyond[extension] = [round(cost, 1) for cost in costs]
    slowest = max(median(costs) for costs in beyond.values())
    return Measured({"marking_ms_per_image": slowest}, {"marking_ms": beyond})


def run_flips(order: Order) -> Measured:
    """Change one random bit of one random byte of a signed file, in each format by turns."""
    marker, random, states = _marker(order), np.random.default_rng(order.seed), Counter[SignatureState]()
    trusted = (order.work / "marking" / AUTHORITY).read_text()
    (pixels,) = pictures(1, order.seed, _SIZE_PX, order.photo)
    files = {each: marker.write("bench", pixels, each, _QUALITY, None).signed for each in CONTENT_TYPES}
    for extension, file in files.items():
        assert read_manifest(file, CONTENT_TYPES[extension], trusted).state is SignatureState.TRUSTED
    for number in range(order.scale.flips):
        extension = tuple(files)[number % len(files)]
        changed = bytearray(files[extension])
        changed[random.integers(len(changed))] ^= 1 << int(random.integers(8))
        states[read_manifest(bytes(changed), CONTENT_TYPES[extension], trusted).state] += 1
    passed = states[SignatureState.TRUSTED] + states[SignatureState.UNTRUSTED]
    found = 1 - passed / order.scale.flips
    return Measured({"c2pa_one_byte_flips_detected": found}, {"flips": {state.name: n for state, n in states.items()}})


def _marker(order: Order) -> Marker:
    settings = MarkingSettings(order.work / "marking")
    return Marker(settings, settings.open_signer(), "bench", "0" * 64)


def _seconds(action: Callable[[], object], repeats: int) -> float:
    """CPU seconds: the machine's other work does not count."""
    taken = []
    for _ in range(repeats):
        begin = time.process_time()
        action()
        taken.append(time.process_time() - begin)
    return median(taken)
