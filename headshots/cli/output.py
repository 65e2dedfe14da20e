"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress


def print_json(value: Any) -> None:
    """A dataclass, or a list of them, as indented JSON. Times are ISO 8601."""
    typer.echo(json.dumps(value, default=_plain, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        # The first column holds the name that other commands take: it must survive copying.
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    console = Console()
    # Into a pipe, a row is a line.
    console.print(table, width=None if console.is_terminal else 1000, crop=False)


def print_fields(fields: dict[str, object]) -> None:
    """One thing, a field a line; empty ones are left out."""
    width = max(map(len, fields))
    for name, value in fields.items():
        if value not in (None, ""):
            typer.echo(f"{name:<{width}}  {_cell(value)}")


def note(message: str) -> None:
    """A line for people, on stderr."""
    typer.secho(message, fg="bright_black", err=True)


def progress_bars() -> Progress:
    """Bars on stderr: what, bar, count, a detail, time gone and time left. Silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[count]:>9}"),
        TimeElapsedColumn(),
        TextColumn("[bright_black]{task.fields[detail]}"),
        console=console,
        disable=not console.is_terminal,
    )


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
