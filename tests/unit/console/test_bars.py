"""Bars take the width that is there, and no word beside or below them is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from headshots.console.terminal.bars import Bars

LONG = "waiting for a trainer, 3 ahead of it, which prepare photos of the Gesellschaftsportraits"


def drawn(width: int, *details: str) -> list[str]:
    """The lines of bars with these details, half done."""
    console = Console(width=width, height=20, force_terminal=True, color_system=None, file=io.StringIO())
    bars = Bars(console)
    for detail in details:
        task = bars.add_task("training", total=10000, count="", detail="")
        bars.update(task, completed=5000, count="5000/10000", detail=detail)
    console.print(*bars.get_renderables())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(("width", "least"), [(60, 20), (80, 40), (120, 80)])
def test_the_bar_is_as_wide_as_the_terminal_leaves_room_for(width: int, least: int) -> None:
    (line,) = drawn(width, "")
    assert len(line.rstrip()) <= width - 3, "Ctrl-C's ^C must not wrap the line"
    assert 2 * line.count("━") + 1 >= least
    assert line.split()[-2:] == ["5000/10000", "0:00:00"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_detail_is_never_cut(width: int) -> None:
    lines = drawn(width, LONG, "loss 0.1234, 12 s left")
    assert max(len(line.rstrip()) for line in lines) <= width - 3
    told = " ".join(" ".join(lines).split())
    for detail in (LONG, "loss 0.1234, 12 s left"):
        assert set(detail.split()) <= set(told.split())
    assert told.count("5000/10000") == 2
    assert all(line.startswith(("training", "  ")) for line in lines)


def test_a_short_detail_stands_beside_the_bar_where_there_is_room() -> None:
    (line,) = drawn(80, "loss 0.1234, 12 s left")
    assert line.rstrip().endswith("0:00:00 loss 0.1234, 12 s left")
    assert len(drawn(60, "loss 0.1234, 12 s left")) == 2
