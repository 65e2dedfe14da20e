"""Shows progress bars while a command waits for something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress import Progress, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from headshots.console.terminal.lines import cells, filled

# A terminal echoes Ctrl-C as ^C. On a line that is full it wraps, and the line before is left standing.
_ECHO_COLUMNS = 3
_TITLE, _COUNT, _ELAPSED, _NARROWEST_BAR = 9, 11, 7, 16


class Bars(Progress):
    """Shows a title, a bar, a count, the time gone and a detail, over the whole width of the terminal.

    A detail that would leave the bar too little room has lines of its own below; nothing is cut. Where there is no
    terminal it says title, count and detail on a line, whenever a further tenth is done.
    """

    def __init__(self, console: Console) -> None:
        self._said: dict[TaskID, int] = {}
        self._widest_detail = 0
        super().__init__(console=console, expand=True, disable=not console.is_terminal)

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
        """All bars, short of the last columns of the terminal."""
        yield _Lines(self)

    def lines(self, width: int) -> Iterator[RenderableType]:
        """What is shown of each bar in so many cells."""
        shown = [task for task in self.tasks if task.visible]
        self._widest_detail = max([self._widest_detail, *(cells(task.fields["detail"]) for task in shown)])
        free = width - _TITLE - _COUNT - _ELAPSED - 3
        beside = self._widest_detail + 1 if self._widest_detail else 0
        is_beside = free - beside >= _NARROWEST_BAR
        for task in shown:
            detail = task.fields["detail"]
            yield _bar_line(task, max(1, free - beside if is_beside else free), detail if is_beside else "")
            if detail and not is_beside:
                yield Text(filled(detail, width, "  ", "  "), style="bright_black")


class _Lines:
    """The bars in the width that the terminal has now."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._bars.lines(max(1, options.max_width - _ECHO_COLUMNS))


def _bar_line(task: Task, bar_width: int, detail: str) -> Table:
    line = Table.grid(padding=(0, 1, 0, 0))
    for width in (_TITLE, bar_width, _COUNT, _ELAPSED, max(1, cells(detail))):
        line.add_column(width=width, no_wrap=True)
    elapsed = task.finished_time if task.finished else task.elapsed
    bar = ProgressBar(
        total=None if task.total is None else max(0, task.total),
        completed=max(0, task.completed),
        width=bar_width,
        pulse=not task.started,
        animation_time=task.get_time(),
    )
    gone = "-:--:--" if elapsed is None else str(timedelta(seconds=int(elapsed)))
    line.add_row(
        Text(task.description),
        bar,
        Text(f"{task.fields['count']:>{_COUNT}}"),
        Text(gone, style="progress.elapsed"),
        Text(detail, style="bright_black"),
    )
    return line
