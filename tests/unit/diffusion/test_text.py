"""Prompts become contexts once: the cache, its bound, and what an empty prompt is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from headshots.diffusion.text import ContextEncoder
from tests.support.foundations.engines import tiny_package


class Counting:
    """A text encoder whose context is its token ids."""

    def __init__(self) -> None:
        self.calls = 0

    def run(self, inputs: Mapping[str, npt.NDArray[np.generic]]) -> list[npt.NDArray[np.generic]]:
        self.calls += 1
        return [inputs["ids"].astype(np.float32)[..., None]]


def encoder(graph: Counting, *, zero_when_empty: bool = False) -> ContextEncoder:
    package = tiny_package()
    return ContextEncoder(package.folder, package.text_encoders, [graph], zero_when_empty=zero_when_empty, capacity=2)


def test_a_prompt_is_encoded_once_and_the_least_recently_used_is_forgotten() -> None:
    graph = Counting()
    texts = encoder(graph)
    first = texts.encode("navy suit")
    assert texts.encode("navy suit") is first
    other = texts.encode("grey suit")
    assert not np.array_equal(first.context_TD, other.context_TD)
    assert graph.calls == 2
    texts.encode("navy suit")
    texts.encode("denim jacket")  # grey suit was used longest ago
    texts.encode("navy suit")
    assert graph.calls == 3
    assert np.array_equal(texts.encode("grey suit").context_TD, other.context_TD)
    assert graph.calls == 4


@pytest.mark.parametrize("zero", [True, False])
def test_an_empty_prompt_is_zeros_where_the_foundation_says_so(zero: bool) -> None:
    texts = encoder(Counting(), zero_when_empty=zero)
    assert texts.encode("").context_TD.any() != zero
    assert texts.encode("suit").context_TD.any()
