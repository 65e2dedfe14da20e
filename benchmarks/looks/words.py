"""Counts the words that commands cut on terminals of 60, 80 and 120 columns; nought is what is promised."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.words.counting import count


def words_cut_in_terminal() -> dict[int, int]:
    """By width, in the output, the help and the errors of every command.

    Raises:
        ValueError: a command ended otherwise than it should, so that what it tells was not seen.
    """
    with tempfile.TemporaryDirectory() as folder:
        cut = count(Path(folder))
    if cut.wrong_codes:
        raise ValueError("; ".join(cut.wrong_codes))
    return {width: len(found) for width, found in cut.words.items()}
