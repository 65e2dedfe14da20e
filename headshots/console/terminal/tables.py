"""Prints tables and fields. A terminal's lines break between words, never within; into a pipe a row is a line.

What tells how something ended (state, verdict, guarantee) is coloured where colours are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import zip_longest

import typer

from headshots.console.terminal.colours import judged, styled
from headshots.console.terminal.lines import beside, cells, filled, room, widest_word

# Spaces between two columns of a table.
_GAP = 2
_INDENT = "  "
# Columns and fields whose words tell how something ended.
_TELLING = frozenset({"state", "verdict", "guarantee", "acceptance"})


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, err: bool = False) -> None:
    """A table for people. `err`: on stderr.

    Where the terminal is too narrow for one word of each column on a line, the first column, which is a name, has a
    line of its own; where it is too narrow even for the others, each value has one.
    """
    shown = [[_cell(value) for value in row] for row in rows]
    width = room(err=err)
    widths = _column_widths([columns, *shown], width)
    if width is None or _line_width(widths) <= width:
        _print_lines(columns, shown, widths, err=err)
        return
    inner = _column_widths([row[1:] for row in (columns, *shown)], width - len(_INDENT), is_first_whole=False)
    if len(columns) > 2 and _line_width(inner) <= width - len(_INDENT):
        _print_lines(columns, shown, inner, err=err, is_first_above=True)
    else:
        _print_apart(columns, shown, width, err=err)


def _print_lines(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    *,
    err: bool,
    is_first_above: bool = False,
) -> None:
    """Heads and rows, each in lines; `is_first_above`: the first column has a line of its own, and no width."""
    for number, row in enumerate((columns, *rows)):
        text = _row(columns, row, widths, is_head=number == 0, is_first_above=is_first_above, err=err)
        typer.echo(text, err=err)


def _row(
    columns: Sequence[str],
    row: Sequence[str],
    widths: Sequence[int],
    *,
    is_head: bool,
    is_first_above: bool,
    err: bool,
) -> str:
    """The lines of a row. Words are coloured after they are laid out: what colours are made of has no width."""
    if is_first_above:
        rest = _row(columns[1:], row[1:], widths, is_head=is_head, is_first_above=False, err=err)
        head = styled(row[0], "", bold=True, err=err) if is_head else row[0]
        return "\n".join([head, *(f"{_INDENT}{line}".rstrip() for line in rest.split("\n"))])
    parts = [filled(cell, width).split("\n") for cell, width in zip(row, widths, strict=True)]
    lines = []
    for line in zip_longest(*parts, fillvalue=""):
        blanks = [width - cells(part) for part, width in zip(line, widths, strict=True)]
        whole = zip(columns, line, row, strict=True)
        told = [_told(column, part, cell, is_head=is_head, err=err) for column, part, cell in whole]
        lines.append(_line(told, blanks))
    return "\n".join(lines)


def _line(parts: Sequence[str], blanks: Sequence[int]) -> str:
    gap = " " * _GAP
    return gap.join(part + " " * blank for part, blank in zip(parts, blanks, strict=True)).rstrip()


def _told(column: str, part: str, whole: str, *, is_head: bool, err: bool) -> str:
    if is_head:
        return styled(part, "", bold=True, err=err)
    return judged(part, whole, err=err) if column.lower() in _TELLING else part


def _print_apart(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, *, err: bool) -> None:
    """A value a line, after its column's name, and an empty line between rows; values wrap between words."""
    column_width = max(map(cells, columns))
    for number, row in enumerate(rows):
        if number:
            typer.echo(err=err)
        for column, cell in zip(columns, row, strict=True):
            # Of nothing no line is made, and an empty one would end the row.
            text = beside(f"{column:<{column_width}}{' ' * _GAP}", cell, width) if cell else column
            typer.echo(_coloured_value(column, cell, text, err=err), err=err)


def _coloured_value(name: str, value: str, text: str, *, err: bool = False) -> str:
    if name.lower() not in _TELLING or not text.endswith(value):
        return text
    return text.removesuffix(value) + judged(value, value, err=err)


def _line_width(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _column_widths(rows: Sequence[Sequence[str]], width: int | None, *, is_first_whole: bool = True) -> list[int]:
    """Widths, in cells of the terminal, that fit into `width` where words allow it.

    The first column of a table holds the name that other commands take: it must survive copying, so it never wraps.
    """
    by_column = list(zip(*rows, strict=True))
    widths = [max(map(cells, column)) for column in by_column]
    least = [max(map(widest_word, column)) for column in by_column]
    if is_first_whole:
        least[0] = widths[0]
    while width is not None and _line_width(widths) > width:
        widest = max(range(len(widths)), key=lambda number: widths[number] if widths[number] > least[number] else 0)
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def print_fields(fields: dict[str, object]) -> None:
    """One thing, a field a line; empty ones are left out."""
    column_width, width = max(map(cells, fields)), room()
    for name, value in fields.items():
        if value not in (None, ""):
            told = _cell(value)
            typer.echo(_coloured_value(name, told, beside(f"{name:<{column_width}}{' ' * _GAP}", told, width)))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return str(value)
