"""Prints what commands answer: results on stdout, everything else on stderr."""

from __future__ import annotations

import dataclasses
import json
import os
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from headshots.console.bars import Bars

# Spaces between two columns of a table.
_GAP = 2
# Of prose, in columns.
_LINE_WIDTH = 80


def print_json(value: Any) -> None:
    """A dataclass, or a list of them, as indented JSON. Times are ISO 8601."""
    typer.echo(json.dumps(value, default=_plain, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people. Lines of a terminal wrap between words, never within; into a pipe a row is a line.

    A terminal that is too narrow even for one word of each column on a line gets each row as lines of its own.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[_cell(value) for value in row] for row in rows]
    room = _room()
    widths = _column_widths([columns, *cells], room)
    if room is not None and _line_width(widths) > room:
        _print_apart(columns, cells, room)
        return
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(column, width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    # The last column's padding is blank, but rich breaks a table that it does not fit in.
    console = Console()
    width = max(console.width, sum(widths) + _GAP * len(widths))
    # With the height too, or rich would ignore our width on a dumb terminal.
    wide = Console(width=width, height=console.height)
    wide.print(table, crop=False)


def _print_apart(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> None:
    """A value a line, after its column's name, and an empty line between rows; values wrap between words."""
    width = max(map(len, columns))
    for number, row in enumerate(rows):
        if number:
            typer.echo()
        for column, cell in zip(columns, row, strict=True):
            # Of nothing no line is made, and an empty one would end the row.
            typer.echo(_beside(f"{column:<{width}}{' ' * _GAP}", cell, room) if cell else column)


def _line_width(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _column_widths(rows: Sequence[Sequence[str]], room: int | None) -> list[int]:
    """Widths, in columns of the terminal, that fit into `room` where words allow it.

    The first column holds the name that other commands take: it must survive copying, so it never wraps.
    """
    from rich.cells import cell_len

    by_column = list(zip(*rows, strict=True))
    widths = [max(map(cell_len, column)) for column in by_column]
    least = [max(cell_len(word) for cell in column for word in cell.split() or [""]) for column in by_column]
    least[0] = widths[0]
    while room is not None and _line_width(widths) > room:
        widest = max(range(len(widths)), key=lambda number: widths[number] if widths[number] > least[number] else 0)
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def print_fields(fields: dict[str, object]) -> None:
    """One thing, a field a line; empty ones are left out. A terminal's lines wrap as `say` has it."""
    width, room = max(map(len, fields)), _room()
    for name, value in fields.items():
        if value not in (None, ""):
            typer.echo(_beside(f"{name:<{width}}{' ' * _GAP}", _cell(value), room))


def say(text: str) -> None:
    """Lines for people, on stdout. Those of a terminal wrap between words, never within; in a pipe they stay whole."""
    typer.echo(fitted(text))


def note(message: str) -> None:
    """As `say`, on stderr and in grey."""
    typer.secho(fitted(message, err=True), fg="bright_black", err=True)


def note_lines(message: str) -> None:
    """As `note`, in lines of at most 80 columns also in a pipe, the later ones indented."""
    note(wrapped(message, err=True))


def wrapped(text: str, indent: str = "", later: str | None = None, *, err: bool = False) -> str:
    """The text in lines of 80 columns, or of the terminal's where it has fewer, which begin with `indent` and `later`.

    A longer word, as a name, has a line of its own and stays whole. `later`: two spaces more than the indent, where it
    is not given. `err`: the text goes to stderr.
    """
    width = min(_LINE_WIDTH, _room(err=err) or _LINE_WIDTH)
    return _filled(text, width, indent, f"{indent}  " if later is None else later)


def fitted(text: str, *, err: bool = False) -> str:
    """Lines that a terminal has room for, wrapped as `say` has it, under their own indent and two spaces more.

    What goes into a pipe stays as it is. `err`: the text goes to stderr.
    """
    room = _room(err=err)
    if room is None:
        return text
    return "\n".join(_fitted_line(line, room) for line in text.split("\n"))


def _fitted_line(line: str, room: int) -> str:
    if len(line) <= room:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    return _filled(line.strip(), room, indent, f"{indent}  ")


def _beside(head: str, value: str, room: int | None) -> str:
    """A value in lines beside its head, below it where a word would be too wide there."""
    if room is None or all(len(head) + len(line) <= room for line in value.split("\n")):
        return head + value
    if len(head) + max(map(len, value.split()), default=0) > room:
        return f"{head.rstrip()}\n{_filled(value, room, '  ', '  ')}"
    return _filled(value, room, head, " " * len(head))


def _room(*, err: bool = False) -> int | None:
    """Columns of the terminal that stdout, or stderr, is; None where it is none.

    Who forces colours (FORCE_COLOR) into a pipe asks for no width, unless COLUMNS tells one.
    """
    from rich.console import Console

    console = Console(stderr=err)
    is_wide = console.file.isatty() or "COLUMNS" in os.environ
    return console.width if console.is_terminal and is_wide else None


def _filled(text: str, width: int, first: str, later: str) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def with_list_on_lines(message: str, listed: Sequence[str]) -> str:
    """A long message for stderr that ends with a list, each of it on lines of its own; any other message as it is."""
    joined = "; ".join(listed)
    if len(message) <= 2 * _LINE_WIDTH or not joined or not message.endswith(f" {joined}"):
        return message
    head = message.removesuffix(f" {joined}")
    return "\n".join([wrapped(head, err=True), *(wrapped(each, indent="  ", err=True) for each in listed)])


def progress(done: int, total: int, unit: str = "") -> str:
    """`20/150 steps`; `-` where it is not known yet how much there is to do."""
    return f"{done}/{total} {unit}".rstrip() if total else "-"


def confirm(question: str) -> None:
    """Go on only where somebody says yes.

    Raises:
        typer.Abort: no.
        typer.BadParameter: there is nobody to ask.
        KeyboardInterrupt: Ctrl-C.
    """
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort as abort:
        # The prompt ends so for a no, for Ctrl-C and where its input is closed.
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt("nothing was done") from abort
        if isinstance(abort.__context__, EOFError):
            raise typer.BadParameter("nobody is there to be asked; --yes does not ask") from abort
        raise


def counted(number: int, noun: str, several: str = "") -> str:
    """`1 photo`, `2 photos`; `several` is the plural where it is not the noun with an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {several or noun + 's'}"


def duration(seconds: float) -> str:
    """`48 s`, `2 min 5 s`, `1 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def progress_bars() -> Bars:
    """Bars on stderr: what, bar, count, a detail, time gone and time left. Plain lines where stderr is no terminal."""
    from rich.console import Console

    from headshots.console.bars import Bars

    return Bars(Console(stderr=True))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot print {type(value).__name__}")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return str(value)
