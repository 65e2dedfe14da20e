"""Shows progress bars while a command waits for something."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

# A terminal echoes Ctrl-C as ^C. On a line that is full it wraps, and the line before is left standing.
_ECHO_COLUMNS = 3


class Bars(Progress):
    """Shows a title, bar, count, elapsed time and a detail; where the terminal is narrow, only the detail is cut.

    Where there is no terminal it says title, count and detail on a line, whenever a further tenth is done.
    """

    def __init__(self, console: Console) -> None:
        self._said: dict[TaskID, int] = {}
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

    def update(
        self,
        task_id: TaskID,
        *,
        total: float | None = None,
        completed: float | None = None,
        advance: float | None = None,
        description: str | None = None,
        visible: bool | None = None,
        refresh: bool = False,
        **fields: Any,
    ) -> None:
        """As that of `Progress`; `fields` are `count` and `detail`."""
        changes: dict[str, Any] = {"total": total, "completed": completed, "advance": advance}
        shown: dict[str, Any] = {"description": description, "visible": visible, "refresh": refresh}
        super().update(task_id, **changes, **shown, **fields)
        if self.disable:
            self._say(task_id)

    def _say(self, task_id: TaskID) -> None:
        task = next(each for each in self.tasks if each.id == task_id)
        tenth = int(task.percentage) // 10
        if task.completed and tenth > self._said.get(task_id, -1):
            self._said[task_id] = tenth
            line = ", ".join(filter(None, (f"{task.description}: {task.fields['count']}", task.fields["detail"])))
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

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
