"""Shows how far the demo is: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from headshots.demo.results.album import Stage

# Where there is no terminal, a stage says how far it is this often.
LINE_SECONDS = 10.0


class Display:
    """Shows stages one after the other and remembers how long each took."""

    def __init__(self, console: Console) -> None:
        self.stages: list[Stage] = []
        self._console = console
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[count]:>8}", justify="right"),
            TimeElapsedColumn(),
            TextColumn("[bright_black]{task.fields[detail]}"),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """A line for people, above the bars."""
        self._bars.console.print(f"  {line}", style="bright_black", highlight=False, markup=False)

    @contextlib.contextmanager
    def stage(self, name: str, title: str) -> Iterator[StageDisplay]:
        """A stretch of the work; it counts as a stage only when it is left without an error."""
        begin = time.perf_counter()
        task = self._bars.add_task(title, total=None, count="", detail="")
        shown = StageDisplay(self._bars, task, title, None if self._console.is_terminal else self._console)
        yield shown
        seconds = time.perf_counter() - begin
        self.stages.append(Stage(name, seconds))
        shown.finish(seconds)


class StageDisplay:
    """One stage's bar."""

    def __init__(self, bars: Progress, task: TaskID, title: str, lines: Console | None) -> None:
        self._bars = bars
        self._task = task
        self._title = title
        self._lines = lines
        self._said_at = time.monotonic()
        if lines is not None:
            lines.print(f"{title} ...", highlight=False)

    def update(self, done: float, total: float | None, *, count: str = "", detail: str = "") -> None:
        """How far it is."""
        self._bars.update(self._task, completed=done, total=total, count=count, detail=detail)
        if self._lines is not None and time.monotonic() - self._said_at >= LINE_SECONDS:
            self._said_at = time.monotonic()
            self._lines.print(f"  {self._title}: {count} {detail}", highlight=False, markup=False)

    def finish(self, seconds: float) -> None:
        """It is done."""
        self._bars.update(self._task, completed=1, total=1, detail="")
        if self._lines is not None:
            self._lines.print(f"{self._title}: {seconds:.1f} s", highlight=False)
