"""Prints what commands answer: results on stdout, everything else on stderr."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from headshots.console.terminal.colours import styled
from headshots.console.terminal.lines import PROSE_WIDTH
from headshots.console.terminal.lines import fitted as fitted
from headshots.console.terminal.lines import wrapped as wrapped
from headshots.console.terminal.tables import print_fields as print_fields
from headshots.console.terminal.tables import print_table as print_table

if TYPE_CHECKING:
    from headshots.console.terminal.bars import Bars


def print_json(value: Any) -> None:
    """A dataclass, or a list of them, as indented JSON. Times are ISO 8601."""
    typer.echo(json.dumps(value, default=_plain, indent=2))


def say(text: str) -> None:
    """Lines for people, on stdout. Those of a terminal wrap between words, never within; in a pipe they stay whole."""
    typer.echo(fitted(text))


def note(message: str) -> None:
    """As `say`, on stderr and in grey."""
    typer.echo(styled(fitted(message, err=True), "bright_black", err=True), err=True)


def note_lines(message: str) -> None:
    """As `note`, in lines of at most 80 columns also in a pipe, the later ones indented."""
    note(wrapped(message, err=True))


def with_list_on_lines(message: str, listed: Sequence[str]) -> str:
    """A long message for stderr that ends with a list, each of it on lines of its own; any other message as it is."""
    joined = "; ".join(listed)
    if len(message) <= 2 * PROSE_WIDTH or not joined or not message.endswith(f" {joined}"):
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

    from headshots.console.terminal.bars import Bars

    return Bars(Console(stderr=True))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot print {type(value).__name__}")
