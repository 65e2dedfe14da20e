"""Breaks text into lines that a terminal has room for, between words and never within one.

A width is in cells of the terminal: a Chinese or Japanese character takes two. A word that is wider than the whole
line, as a long path, has a line of its own and stays whole.
"""

from __future__ import annotations

import os

PROSE_WIDTH = 80
"""Of prose, in cells, where the terminal has more or there is none."""


def room(*, err: bool = False) -> int | None:
    """Cells of a line of the terminal that stdout, or stderr, is; None where it is none.

    Who forces colours (FORCE_COLOR) into a pipe asks for no width, unless COLUMNS tells one.
    """
    from rich.console import Console

    console = Console(stderr=err)
    is_wide = console.file.isatty() or "COLUMNS" in os.environ
    return console.width if console.is_terminal and is_wide else None


def cells(text: str) -> int:
    """How wide a terminal shows it."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def widest_word(text: str) -> int:
    """Cells of its widest word; 0 where it has none."""
    return max(map(cells, text.split()), default=0)


def filled(text: str, width: int, first: str = "", later: str = "") -> str:
    """The text in lines of `width` cells, of which the first begins with `first` and the others with `later`."""
    lines, used = [first], cells(first)
    is_empty = True
    for word in text.split():
        needed = cells(word)
        if not is_empty and used + 1 + needed > width:
            lines.append(later)
            used, is_empty = cells(later), True
        lines[-1] += word if is_empty else f" {word}"
        used += needed + (not is_empty)
        is_empty = False
    return "\n".join(line.rstrip() for line in lines)


def wrapped(text: str, indent: str = "", later: str | None = None, *, err: bool = False) -> str:
    """The text in lines of 80 cells, or of the terminal's where it has fewer, which begin with `indent` and `later`.

    `later`: two spaces more than the indent, where it is not given. `err`: the text goes to stderr.
    """
    width = min(PROSE_WIDTH, room(err=err) or PROSE_WIDTH)
    return filled(text, width, indent, f"{indent}  " if later is None else later)


def fitted(text: str, *, err: bool = False) -> str:
    """Lines that a terminal has room for, broken between words, under their own indent and two spaces more.

    What goes into a pipe stays as it is. `err`: the text goes to stderr.
    """
    width = room(err=err)
    if width is None:
        return text
    return "\n".join(_fitted_line(line, width) for line in text.split("\n"))


def _fitted_line(line: str, width: int) -> str:
    if cells(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    return filled(line.strip(), width, indent, f"{indent}  ")


def beside(head: str, value: str, width: int | None) -> str:
    """A value in lines beside its head, below it where a word would be too wide there. `width`: None wraps nothing."""
    if width is None or all(cells(head) + cells(line) <= width for line in value.split("\n")):
        return head + value
    if cells(head) + widest_word(value) > width:
        return f"{head.rstrip()}\n{filled(value, width, '  ', '  ')}"
    return filled(value, width, head, " " * cells(head))
