"""A person drawn by the foundry, as the bundled analyzer sees her."""

from __future__ import annotations

import pytest

from benchmarks.acceptance.people import Person, selfies, true_portrait
from headshots.acceptance import PROFILE_WORTHY, Gate, Reference, measure_reference
from headshots.faces import FaceAnalyzer, Pixels, open_analyzer
from headshots.styles.library import StyleLibrary
from tests.support.paths import ROOT

# Whose skin has texture, so that all checks can fail; the calibration has others.
SOMEBODY = Person(1_001)


@pytest.fixture(scope="session")
def analyzer() -> FaceAnalyzer:
    found = open_analyzer("bundled")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def reference(analyzer: FaceAnalyzer) -> Reference:
    measured = measure_reference(analyzer, selfies(SOMEBODY))
    assert measured is not None
    return measured


@pytest.fixture(scope="session")
def gate(analyzer: FaceAnalyzer, reference: Reference) -> Gate:
    return Gate(analyzer, reference, PROFILE_WORTHY)


@pytest.fixture(scope="session")
def portraits() -> list[Pixels]:
    """In six of the built-in styles, at the size that the bundled foundation paints."""
    styles = list(StyleLibrary.load(ROOT / "styles"))[::2][:6]
    return [true_portrait(SOMEBODY, style, 0, 128) for style in styles]
