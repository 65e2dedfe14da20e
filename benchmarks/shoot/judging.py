"""Judges pictures: by the gate, as a gateway does, and by another net that no service has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.shoot.people import Person, Pixels
from benchmarks.shoot.studio import decoded
from benchmarks.training.judging import embeddings
from benchmarks.training.people import resized
from foundry.train_judges import load_judges
from headshots.acceptance.gate import Gate
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.acceptance.reference import measure_reference
from headshots.acceptance.verdict import Acceptance
from headshots.faces.opening import open_analyzer

# True photos that the other net compares with.
_PHOTOS = 8


class OtherNet:
    """Likeness by the foundry's judge: another architecture, training and crop than the gate's analyzer."""

    def __init__(self) -> None:
        self._judges = load_judges()
        self._true: dict[str, npt.NDArray[np.float32]] = {}

    def likeness(self, person: Person, pictures: Sequence[Pixels]) -> npt.NDArray[np.float32]:
        """[N]: mean cosine of each picture to true photos of the person."""
        found: npt.NDArray[np.float32] = (self._embedded(pictures) @ self._photos(person).T).mean(axis=1)
        return found

    def own_likeness(self, person: Person) -> float:
        """Mean cosine between two true photos: what a perfect portrait would reach."""
        cosines_NN = self._photos(person) @ self._photos(person).T
        return float(cosines_NN[~np.eye(len(cosines_NN), dtype=bool)].mean())

    def _photos(self, person: Person) -> npt.NDArray[np.float32]:
        if person.name not in self._true:
            self._true[person.name] = self._embedded(person.true_photos(_PHOTOS))
        return self._true[person.name]

    def _embedded(self, pictures: Sequence[Pixels]) -> npt.NDArray[np.float32]:
        return embeddings(self._judges, resized(pictures))


@dataclass
class Passed:
    """Pictures that went through a gate."""

    pictures: int = 0
    accepted: int = 0
    refused_for: Counter[str] | None = None

    def add(self, other: Passed) -> None:
        """Counts those of another person too."""
        self.pictures += other.pictures
        self.accepted += other.accepted
        self.refused_for = (self.refused_for or Counter()) + (other.refused_for or Counter())

    @property
    def accepted_share(self) -> float:
        """0 to 1."""
        return self.accepted / max(self.pictures, 1)


def through_the_gate(person: Person, pictures: Sequence[Pixels]) -> Passed:
    """Every picture by itself, by the person's gate as it is after the upload of the selfies."""
    analyzer = open_analyzer("bundled", None)
    assert analyzer is not None
    reference = measure_reference(analyzer, [decoded(file) for file in person.selfies()])
    assert reference is not None
    gate, found = Gate(analyzer, reference, PROFILE_WORTHY), Passed(refused_for=Counter())
    for picture in pictures:
        verdict = gate.judge(picture).verdict
        found.add(
            Passed(
                1,
                int(verdict.acceptance is Acceptance.ACCEPTED),
                Counter(check.reason for check in verdict.checks if not check.passed),
            )
        )
    return found
