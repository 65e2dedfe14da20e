"""Shows what `headshots doctor` found, a check a line or more, in 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import typer

from headshots.console.output import counted, wrapped
from headshots.console.terminal.colours import styled

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "bright_black"}
_MARGIN, _STATE_WIDTH, _NAME_WIDTH = 2, 8, 16


class Shown(Protocol):
    """A finding; `state` is ok, warning, failed or skipped."""

    @property
    def check(self) -> str:
        """Its name."""

    @property
    def state(self) -> str:
        """How it went."""

    @property
    def seen(self) -> str:
        """What was seen."""

    @property
    def cure(self) -> str:
        """What to do; empty where nothing has to be done."""


def show(found: Shown) -> None:
    """One finding: state, check, what was seen, and below it the cure. A long name has a line of its own."""
    head = f"{' ' * _MARGIN}{found.state:<{_STATE_WIDTH}}{found.check:<{_NAME_WIDTH}}"
    margin = " " * (_MARGIN + _STATE_WIDTH + _NAME_WIDTH)
    is_short = len(found.check) < _NAME_WIDTH
    text = wrapped(found.seen, head, margin) if is_short else f"{head}\n{wrapped(found.seen, margin, margin)}"
    typer.echo(text.replace(found.state, styled(found.state, _COLOURS[found.state]), 1))
    if found.cure:
        typer.echo(wrapped(found.cure, f"{margin}-> ", f"{margin}   "))


def summary(found: Sequence[Shown]) -> str:
    """How many checks ended how: `12 ok, 1 warning, 2 skipped`."""
    counts = Counter(str(each.state) for each in found)
    nouns = {
        "ok": ("ok", "ok"),
        "warning": ("warning", "warnings"),
        "failed": ("failed",) * 2,
        "skipped": ("skipped",) * 2,
    }
    return ", ".join(counted(counts[state], *nouns[state]) for state in nouns if counts[state])
