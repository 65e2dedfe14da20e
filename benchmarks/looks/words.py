"""Counts the words that commands cut on terminals of 60, 80 and 120 columns; nought is what is promised."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.report import Measured, Target
from tests.support.words.counting import count

TARGETS = {"words_cut_in_terminal": Target(0, True, "in the output, help and errors of every command, three widths")}


def words_cut_in_terminal() -> Measured:
    """The figure, and how many are cut at each width.

    Raises:
        ValueError: a command ended otherwise than it should, so that what it tells was not seen.
    """
    with tempfile.TemporaryDirectory() as folder:
        cut = count(Path(folder))
    if cut.wrong_codes:
        raise ValueError("; ".join(cut.wrong_codes))
    by_width = {width: len(found) for width, found in cut.words.items()}
    return Measured({"words_cut_in_terminal": float(sum(by_width.values()))}, {"words_cut_at_columns": by_width})
