"""Shows progress bars while a command waits for something."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

# A terminal echoes Ctrl-C as ^C. On a line that is full it wraps, and the line before is left standing.
_ECHO_COLUMNS = 3


class Bars(Progress):
    """Shows a title, bar, count, elapsed time and a detail; where the terminal is narrow, only the detail is cut."""

    def __init__(self, console: Console) -> None:
        super().__init__(
            TextColumn("{task.description}", table_column=_fixed(9)),
            BarColumn(bar_width=16, table_column=_fixed(16)),
            TextColumn("{task.fields[count]:>9}", table_column=_fixed(9)),
            TimeElapsedColumn(table_column=_fixed(7)),
            TextColumn(
                "[bright_black]{task.fields[detail]}",
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            console=console,
            expand=True,
            disable=not console.is_terminal,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """The table, short of the last columns of the terminal."""
        for table in super().get_renderables():
            yield _Narrowed(table)


class _Narrowed:
    """A renderable, short of the last columns of the terminal."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(self._inner, options.update(width=max(1, options.max_width - _ECHO_COLUMNS)))


def _fixed(width: int) -> Column:
    return Column(width=width, no_wrap=True)
