"""Measures what the analyzer sees: faces, who is who, what is wrong with pictures, in which time."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.people.derived import Head, bad_ones, good_ones
from benchmarks.people.photos import PACKAGES, bring_photo, decode, in_folder
from benchmarks.people.report import Order
from benchmarks.report import Measured
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.imaging.inspection import judge, measure
from headshots.imaging.quality import QualityLimits

_LARGE = (3000, 4000)


@dataclass(frozen=True)
class Scene:
    """The analyzer and people's photos by their names: those of packages, and the operator's."""

    analyzer: FaceAnalyzer
    people: Mapping[str, list[Image.Image]]


@cache
def _scene(order: Order) -> Scene:
    analyzer = open_analyzer("people", order.analyzer)
    assert analyzer is not None
    people = {Path(name).stem: [decode(bring_photo(name))] for name in PACKAGES}
    return Scene(analyzer, people | (in_folder(order.folder) if order.folder else {}))


def run_faces(order: Order) -> Measured:
    """Faces of good pictures: found, and nearer to the same person's than to others'."""
    scene = _scene(order)
    vectors, found, shown = {}, 0, 0
    for name, photos in scene.people.items():
        pictures = [made for photo in photos for made in _good(scene, photo)]
        faces = [scene.analyzer.faces(np.asarray(picture)) for picture in pictures]
        shown += len(faces)
        found += sum(bool(each) for each in faces)
        vectors[name] = [each[0].embedding for each in faces if each]
    same = [float(a @ b) for own in vectors.values() for a, b in itertools.combinations(own, 2)]
    other = [float(a @ b) for x, y in itertools.combinations(vectors.values(), 2) for a in x for b in y]
    figures = {"detected": found / shown, "separation": min(same) - max(other)}
    details = {"pictures": shown, "people": len(vectors), "same_at_least": min(same), "others_at_most": max(other)}
    return Measured(figures, {"faces": details})


def run_verdicts(order: Order) -> Measured:
    """What the inspection says of good pictures (nothing) and of spoilt ones (the fault), of each photo's person."""
    scene = _scene(order)
    wrong, asked = [], 0
    for name, photos in scene.people.items():
        other = next(others[0] for who, others in scene.people.items() if who != name)
        for number, photo in enumerate(photos):
            head = Head.find(photo, scene.analyzer)
            good = good_ones(head)
            bad = bad_ones(head, Head.find(other, scene.analyzer).around(0.6))
            measured = [measure(picture, scene.analyzer) for picture in (*good, *bad.values())]
            told = judge(measured, QualityLimits(), scene.analyzer).photos
            asked += len(told)
            for wanted, findings in zip([*[""] * len(good), *bad], told, strict=True):
                reasons = {finding.reason for finding in findings}
                right = wanted.split()[0] in reasons if wanted else not reasons
                wrong += [] if right else [f"{name} {number}: {wanted or 'good'}: {', '.join(sorted(reasons)) or '-'}"]
    return Measured({"verdicts_right": 1 - len(wrong) / asked}, {"verdicts": {"asked": asked, "wrong": wrong}})


def run_time(order: Order) -> Measured:
    """The median of CPU time a call; the nets run on this thread alone."""
    scene = _scene(order)
    photo = next(iter(scene.people.values()))[0]
    large = np.asarray(Head.find(photo, scene.analyzer).around(1.0).resize(_LARGE, Image.Resampling.BICUBIC))
    taken = []
    for _ in range(order.calls + 1):
        begin = time.thread_time()
        scene.analyzer.faces(large)
        taken.append((time.thread_time() - begin) * 1e3)
    spread = {"least": min(taken[1:]), "most": max(taken[1:])}
    return Measured({"analyze_ms": statistics.median(taken[1:])}, {"analyze_ms": spread})


def _good(scene: Scene, photo: Image.Image) -> list[Image.Image]:
    return good_ones(Head.find(photo, scene.analyzer))
