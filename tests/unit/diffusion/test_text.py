"""Prompts become contexts once: the cache, its bound, and what an empty prompt is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from headshots.diffusion.text import ContextEncoder, Reading, TextReader
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


def reader() -> TextReader:
    package = tiny_package()
    return TextReader(package.folder, package.text_encoders)


def test_a_text_that_fits_is_read_to_its_end() -> None:
    assert reader().read("photo of sks man") == Reading(6, "")
    assert reader().read("") == Reading(2, "")


@pytest.mark.parametrize("over", [0, 1, 5])
def test_what_the_window_cuts_is_named_from_the_first_word_that_is_cut(over: int) -> None:
    room = tiny_package().window_tokens - 2
    text = "a " * (room - 1) + "Suit" + " man" * over
    assert reader().read(text) == Reading(room + over + 2, "man " * (over - 1) + "man" if over else "")


def test_a_word_that_is_cut_in_its_middle_is_lost_whole() -> None:
    room = tiny_package().window_tokens - 2
    text = "a " * (room - 3) + "Turquoise wall"
    assert reader().read(text).lost == "Turquoise wall"
