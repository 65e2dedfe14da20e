"""Runs a command as on a terminal of some width, and finds the words that the terminal cuts."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from unittest import mock

from click import unstyle
from rich.cells import cell_len
from typer.main import get_command

from headshots.cli.app import app

ROOT = get_command(app)
WIDE = 4000
"""Columns of a terminal on which no line has to be broken."""
# What a terminal draws anew many times, and what differs at each run: times, and keys, which are drawn at random.
_BAR = re.compile(r"[━╸╺]")
_DIFFERENT = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.+]+)?|\b\d\d:\d\d(:\d\d)?(?!\d)|took\s+\d+\s\w+|hs_\w{16}_[\w-]{43}\b")
_LIVE = re.compile(r"\x1b\[\?25l.*?\x1b\[\?25h", re.DOTALL)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class _Screen(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Shown:
    """What a command wrote to a terminal of `columns`, without colours and without the frames of its bars."""

    columns: int
    code: int
    text: str

    @property
    def words(self) -> set[str]:
        """All that stands between blanks, times apart."""
        return set(_DIFFERENT.sub("DIFFERENT", self.text).split())

    def too_wide(self) -> list[str]:
        """Lines that the terminal has to cut within a word. One word alone cannot be helped."""
        return [line for line in self.text.split("\n") if cell_len(line) > self.columns and len(line.split()) > 1]


def show(arguments: list[str], columns: int, environment: Mapping[str, str]) -> Shown:
    """Runs a command in this process; its stdout and stderr are one terminal."""
    screen, code = _Screen(), 0
    told = {**environment, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    with mock.patch.dict(os.environ, told), contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        for name in ("NO_COLOR", "FORCE_COLOR"):
            os.environ.pop(name, None)
        try:
            ROOT.main(arguments, prog_name="headshots")
        except SystemExit as ending:
            code = int(ending.code or 0)
    return Shown(columns, code, _plain(screen.getvalue()))


def _plain(written: str) -> str:
    still = _LIVE.sub(lambda frames: "\n".join(_kept(frames[0])), written)
    return unstyle(_CONTROL.sub("", still))


def _kept(frames: str) -> Iterator[str]:
    """Lines above the bars: neither those that have a bar nor the details below it."""
    is_bar = False
    for line in _CONTROL.sub("", frames).split("\n"):
        is_bar = bool(_BAR.search(line)) or (is_bar and line.startswith("  "))
        if not is_bar:
            yield line


def cut_words(narrow: Shown, wide: Shown) -> list[str]:
    """Words that are whole on the wide terminal and not on the narrow one, or the other way round."""
    ours, theirs = narrow.words, wide.words
    broken = [line.strip() for line in narrow.too_wide()]
    return broken + sorted(ours - theirs) + sorted(theirs - ours)
