"""Values are printed as people write them."""

from __future__ import annotations

import pytest

from headshots.console.output import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (3659, "1 h 1 min"), (7199.9, "2 h")],
)
def test_durations_are_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said
