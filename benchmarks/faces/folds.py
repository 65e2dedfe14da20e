"""Splits people into folds, so that whoever is asked about taught the classifier nothing.

A classifier two-sample test (arXiv 1610.06545) must be asked about pictures that did not teach it. Pictures of one
person resemble each other, so it is people that are kept apart, not pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

FOLDS = 2


def fold_of(person: int) -> int:
    """Which of FOLDS a person is asked in."""
    return person % FOLDS


def asked_in(fold: int, people: Sequence[int]) -> list[int]:
    """Whom the net of `fold` is asked about."""
    return [person for person in people if fold_of(person) == fold]


def teachers_of(fold: int, people: Sequence[int]) -> list[int]:
    """Whose pictures teach the net of `fold`: everybody else's."""
    return [person for person in people if fold_of(person) != fold]
