"""A command that goes on with a shoot saves the same, and writes the same page."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.cli.commands.pictures.pages import Saved
from headshots.cli.shoot_options import OUT


@pytest.mark.parametrize(
    ("saved", "options"),
    [
        (Saved(OUT, 0, False), ""),
        (Saved(OUT, 10, False), "--best 10"),
        (Saved(Path("mine"), 10, True), "--out mine --best 10 --html"),
        (Saved(OUT, 0, True), "--html"),
    ],
)
def test_what_goes_on_has_the_options_that_differ_from_the_defaults(saved: Saved, options: str) -> None:
    assert saved.options == options
