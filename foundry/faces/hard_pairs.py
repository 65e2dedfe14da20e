"""Asks of a net whether it sees the face: pairs that hair and skin do not tell apart.

Each person comes with DOUBLES look-alikes (their looks, a stranger's proportions), a sibling (six parameters in ten are
theirs) and themselves after a haircut. Whoever sees hair and skin alone names doubles as readily as the person.

Shapes: N people, K pictures of each, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foundry.faces.families import family
from foundry.faces.framings import unchanged
from foundry.portraits import FIRST_HELD_OUT, Identity, Scene, render, sample_scene
from foundry.progress import tqdm

DOUBLES = 5
GALLERY = 200
# Of each person: the first two are the gallery's, the others ask.
KINDS = ("selfie", "selfie", "studio", "studio")
FIRST_PERSON = FIRST_HELD_OUT + 200_000
STRANGERS_AFTER = 100_000  # numbers further on

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
# Pictures, uint8 [128, 128, 3] each, to unit vectors [N, D]; zeros where no face was found.
Embed = Callable[[Sequence[Pixels]], Floats]
Framing = Callable[[Scene], Scene]


def pictures_of(identity: Identity, occasion: int, framing: Framing = unchanged) -> list[Pixels]:
    """A picture of each of KINDS; `occasion` and the person's number decide their scenes."""
    scenes = (
        sample_scene(np.random.default_rng([identity.seed, occasion, index, 0xA11CE]), kind)
        for index, kind in enumerate(KINDS)
    )
    return [render(identity, framing(scene)) for scene in scenes]


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of everybody's pictures, in the order of KINDS. X = DOUBLES."""

    people_NKD: Floats
    doubles_NXKD: Floats
    siblings_NKD: Floats
    after_haircut_NKD: Floats

    def same(self) -> Floats:
        """Similarities of all pairs of one person."""
        upper = np.triu(np.ones((len(KINDS), len(KINDS)), bool), 1)
        return _products(self.people_NKD, self.people_NKD)[:, upper].ravel()

    def to_doubles(self) -> Floats:
        """Similarities of everybody's pictures to their doubles'."""
        each = [_products(self.people_NKD, self.doubles_NXKD[:, number]).ravel() for number in range(DOUBLES)]
        return np.concatenate(each)

    def to_siblings(self) -> Floats:
        """Similarities of everybody's pictures to their sibling's."""
        return _products(self.people_NKD, self.siblings_NKD).ravel()


def embed_families(
    embed: Embed, people: int, first_person: int = FIRST_PERSON, framing: Framing = unchanged
) -> Vectors:
    """Draws the families of `people` people and embeds them; strangers are 100,000 people further on."""
    parts: list[Floats] = []
    for number in tqdm(range(people), desc="families", mininterval=5):
        known = family(first_person + number, first_person + STRANGERS_AFTER + number * 40, DOUBLES)
        members = (known.person, *known.doubles, known.sibling)
        drawn = [picture for member in members for picture in pictures_of(member, 0, framing)]
        drawn += pictures_of(known.after_haircut, 1, framing)
        parts.append(embed(drawn).reshape(len(members) + 1, len(KINDS), -1))
    whole = np.stack(parts)
    return Vectors(whole[:, 0], whole[:, 1 : 1 + DOUBLES], whole[:, -2], whole[:, -1])


def scores(vectors: Vectors) -> dict[str, float]:
    """How well a person is told from their look-alikes.

    - `auc_doubles`, `auc_siblings`: the chance that a pair of one person is nearer than a pair of the person and a
      double, or a sibling; `auc_hard`: than any of both.
    - `auc_haircut`: the same for strangers, where one picture of the person is from after a haircut.
    - `rank1_lookalikes`: studio portraits whose nearest of GALLERY people, DOUBLES of them doubles, is their person.
    - `share_of_doubles`: the likeness of doubles, where strangers have 0 and the person 1.
    """
    people, doubles = vectors.people_NKD, vectors.doubles_NXKD
    same, to_doubles, to_siblings = vectors.same(), vectors.to_doubles(), vectors.to_siblings()
    strangers = _products(people, np.roll(people, 1, axis=0)).ravel()
    # A net that has learned nothing has no span.
    span = max(float(same.mean() - strangers.mean()), 1e-6)
    return {
        "auc_doubles": roc_area(same, to_doubles),
        "auc_siblings": roc_area(same, to_siblings),
        "auc_hard": roc_area(same, np.concatenate([to_doubles, to_siblings])),
        "auc_haircut": roc_area(_products(people, vectors.after_haircut_NKD).ravel(), strangers),
        "rank1_lookalikes": _rank1(people, doubles),
        "share_of_doubles": float(to_doubles.mean() - strangers.mean()) / span,
    }


def roc_area(same: Floats, strangers: Floats) -> float:
    """The chance that a pair of one person is nearer than a pair of strangers; ties count half."""
    ordered = np.sort(strangers)
    below = np.searchsorted(ordered, same, "left") + np.searchsorted(ordered, same, "right")
    return float(below.mean() / (2 * len(ordered)))


def rounded(values: dict[str, float]) -> dict[str, float]:
    """As they are written down."""
    return {name: round(value, 5) for name, value in values.items()}


def _products(first_NKD: Floats, second_NKD: Floats) -> Floats:
    """[N, K, K]: each picture of one with each picture of the other."""
    return np.asarray(first_NKD @ second_NKD.transpose(0, 2, 1), np.float32)


def _rank1(people_NKD: Floats, doubles_NXKD: Floats) -> float:
    """See `scores`. People are in the gallery by the mean of their first two pictures."""
    means_ND = people_NKD[:, :2].mean(1)
    found = 0
    for number, (pictures_KD, doubles_XKD) in enumerate(zip(people_NKD, doubles_NXKD, strict=True)):
        others_ND = np.delete(means_ND, number, 0)[: GALLERY - 1 - DOUBLES]
        gallery_GD = np.concatenate([means_ND[number : number + 1], doubles_XKD[:, :2].mean(1), others_ND])
        gallery_GD = gallery_GD / np.maximum(np.linalg.norm(gallery_GD, axis=1, keepdims=True), 1e-6)
        alike = pictures_KD[2:] @ gallery_GD.T
        found += int((alike[:, 0] > alike[:, 1:].max(1)).sum())
    return found / (2 * len(people_NKD))
