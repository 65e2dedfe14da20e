"""Measures the faces of one person's kept portraits: are they this person's, regular, and drawn with sharp edges.

Shapes: N portraits, P landmarks in the picture's units of 0..1, D embedding width.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.faces import edges, likeness
from benchmarks.faces.pose import posed_like
from benchmarks.training import people
from benchmarks.training.judging import embeddings, gallery
from benchmarks.training.people import SIDE_PX, Pixels, resized
from benchmarks.training.pictures import keep, kept
from benchmarks.training.plan import Plan
from benchmarks.training.reference import Points, looked_at, reference
from foundry.judges import Judges
from foundry.portraits import Identity, Scene, face_points, render, sample_scene
from foundry.train_judges import load_judges
from headshots.faces import FaceAnalyzer, open_analyzer
from headshots.faces.regularity import Regularity

# Landmarks do not tell how long hair blows; the outline that is nearest does.
WINDS = (-0.35, 0.0, 0.35)

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Looked:
    """A portrait beside a true render of its person in its pose."""

    painted: Pixels
    painted_points: Points
    painted_head: Flags
    true: Pixels
    true_head: Flags
    scene: Scene
    off: float  # landmarks from the true render's, root mean square in 1/128 of the frame


def measured(plan: Plan, person: int) -> dict[str, Any]:
    """Every measure of one person's portraits; the true renders in their poses are kept as ``true``."""
    torch.set_num_threads(1)
    judges, identity = load_judges(), plan.cast.identity(person)
    pictures = resized(list(kept(plan, "ours", person)))
    _, points_NP2 = looked_at(judges, pictures)
    pairs = [
        _beside_truth(identity, _scene(plan, person, number), picture, points_P2, plan.framing)
        for number, (picture, points_P2) in enumerate(zip(pictures, points_NP2, strict=True))
    ]
    keep(plan, "true", person, [pair.true for pair in pairs])
    return {
        **_likeness(plan, person, judges, pictures, [pair.scene for pair in pairs]),
        **_regular(_regularity(plan), judges, points_NP2, pairs),
        **_edges(identity, judges, pairs, plan.framing),
        "landmarks_off": float(np.mean([pair.off for pair in pairs])),
    }


def strangers(plan: Plan) -> dict[str, float]:
    """How often the judge takes a stranger of the gallery for somebody, at the threshold of ``verified``."""
    threshold = load_judges().same_person_from
    rate = likeness.false_match_rate(gallery(plan.cast, plan.gallery, plan.gallery_file), threshold)
    return {"same_person_from": threshold, "false_match_rate": rate}


def _scene(plan: Plan, person: int, number: int) -> Scene:
    """What the prompt of portrait ``number`` names; its pose is not known yet."""
    wanted = plan.wanted_scenes[number // plan.seeds]
    rng = np.random.default_rng([person, number, 0x5CE])
    return sample_scene(
        rng, "studio", plan.framing, outfit=wanted.outfit, backdrop=wanted.backdrop, light=wanted.lighting
    )


def _beside_truth(identity: Identity, scene: Scene, picture: Pixels, points_P2: Points, framing: str) -> _Looked:
    posed, off = posed_like(points_P2, identity, scene, framing)
    head = _head(picture)
    blown = [replace(posed, wind=wind) for wind in WINDS]
    drawn = [render(identity, each, SIDE_PX) for each in blown]
    heads = [_head(true) for true in drawn]
    nearest = int(np.argmax([edges.overlap(head, true_head) for true_head in heads]))
    return _Looked(picture, points_P2, head, drawn[nearest], heads[nearest], blown[nearest], off)


def _likeness(plan: Plan, person: int, judges: Judges, pictures: Pixels, scenes: Sequence[Scene]) -> dict[str, Any]:
    """Whether they are the person, and not somebody with the same hair and skin."""
    everybody_GKD = gallery(plan.cast, plan.gallery, plan.gallery_file)
    own_KD, others_GKD = everybody_GKD[person], np.delete(everybody_GKD, person, 0)
    doubles = plan.cast.doubles(person)
    doubles_XKD = np.stack([embeddings(judges, people.photos_of(double)) for double in doubles])
    as_doubles = np.stack([render(doubles[n % len(doubles)], scene, SIDE_PX) for n, scene in enumerate(scenes)])
    vectors_ND = embeddings(judges, pictures)
    true_ND = embeddings(judges, kept(plan, "true", person))
    likenesses = [likeness.likeness(each, own_KD) for each in (vectors_ND, true_ND, embeddings(judges, as_doubles))]
    return {
        "verified": float(likeness.verified(vectors_ND, own_KD, judges.same_person_from).mean()),
        "verified_true": float(likeness.verified(true_ND, own_KD, judges.same_person_from).mean()),
        "face_share": likeness.face_share(*likenesses),
        "likeness_true": likenesses[1],
        "likeness_doubles": likenesses[2],
        "rank1_lookalikes": likeness.rank1_lookalikes(vectors_ND, own_KD, doubles_XKD, others_GKD, plan.gallery),
        "rank1_lookalikes_true": likeness.rank1_lookalikes(true_ND, own_KD, doubles_XKD, others_GKD, plan.gallery),
    }


def _regular(regularity: Regularity, judges: Judges, points_NP2: Points, pairs: Sequence[_Looked]) -> dict[str, float]:
    _, true_NP2 = looked_at(judges, np.stack([pair.true for pair in pairs]))
    return {
        "regular": float(regularity.regular(points_NP2).mean()),
        "regular_true": float(regularity.regular(true_NP2).mean()),
        "irregularity": float(np.median(regularity.distances(points_NP2)) / regularity.limit),
    }


def _edges(identity: Identity, judges: Judges, pairs: Sequence[_Looked], framing: str) -> dict[str, float]:
    """Outlines and sharpness beside the truth; and the truth's own overlap, where pose and head are found as theirs."""
    true = np.stack([pair.true for pair in pairs])
    _, true_NP2 = looked_at(judges, true)
    again = [
        _beside_truth(identity, pair.scene, picture, points_P2, framing)
        for pair, picture, points_P2 in zip(pairs, true, true_NP2, strict=True)
    ]
    eyes = [
        (
            edges.gradient_energy(pair.painted, edges.eyes_of(pair.painted_points, SIDE_PX)),
            edges.gradient_energy(pair.true, edges.eyes_of(_true_points(identity, pair.scene), SIDE_PX)),
        )
        for pair in pairs
    ]
    outlines = [
        (
            edges.gradient_energy(pair.painted, edges.outline_of(pair.painted_head)),
            edges.gradient_energy(pair.true, edges.outline_of(pair.true_head)),
        )
        for pair in pairs
    ]
    return {
        "edges_overlap": _overlap(pairs),
        "edges_overlap_true": _overlap(again),
        "edges_sharpness_eyes": edges.sharpness(*zip(*eyes, strict=True)),
        "edges_sharpness_outline": edges.sharpness(*zip(*outlines, strict=True)),
    }


def _overlap(pairs: Sequence[_Looked]) -> float:
    return float(np.mean([edges.overlap(pair.painted_head, pair.true_head) for pair in pairs]))


def _true_points(identity: Identity, scene: Scene) -> Points:
    return face_points(identity, scene, SIDE_PX) / np.float32(SIDE_PX)


def _head(picture: Pixels) -> Flags:
    """Face and hair, as the bundled analyzer's parser sees them: a net that neither paints nor judges likeness here.

    True heads are looked at by it too, though their masks are known: it tells true heads from their surroundings on a
    grid of 64 x 64 cells, to an overlap of 0.96 with their masks, and no painted head could do better than that.
    """
    parts = _analyzer().parts(picture)
    assert parts is not None
    return np.asarray(parts.head_HW > 0.5)


@functools.cache
def _analyzer() -> FaceAnalyzer:
    analyzer = open_analyzer("bundled")
    assert analyzer is not None
    return analyzer


@functools.cache
def _regularity(plan: Plan) -> Regularity:
    return reference(plan).regularity()
