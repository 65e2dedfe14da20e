"""Runs the demo from selfies to a gallery, and stops all that it started."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from headshots.console.exits import ExitCode, exit_code, print_error
from headshots.console.output import counted
from headshots.demo.analyzer import Analyzer, choose
from headshots.demo.display import Display
from headshots.demo.memory import MemoryWatch
from headshots.demo.options import DemoOptions
from headshots.demo.results import report
from headshots.demo.results.album import Album
from headshots.demo.results.contact_sheet import contact_sheet
from headshots.demo.results.page import PORTRAITS, write_album
from headshots.demo.services import DemoServices
from headshots.demo.steps import OTHERS, DemoRun
from headshots.diffusion.foundations.foundation import Foundation
from headshots.errors import HeadshotsError, InvalidArgumentError
from headshots.processes.fleet import Fleet
from headshots.processes.log_files import LogFiles
from headshots.processes.signals import stopping_on_signals, uninterrupted
from headshots.settings import without_settings


def run_demo(options: DemoOptions) -> ExitCode:
    """Run it; leaves gallery.html, the portraits, contact-sheet.png, report.json and the logs in `options.out`.

    A run that is stopped once its portraits are there leaves all of that too, of what was finished. One that breaks off
    before leaves its report and logs, and the page, portraits and sheet of the last that did not.

    Raises:
        InvalidArgumentError: PHOTOS_IN_THE_WAY.
    """
    job = _Job(options)
    try:
        album = job.make_album()
        job.write_pictures(album)
    except (HeadshotsError, OSError, KeyboardInterrupt) as error:
        return job.fail(error)
    return job.succeed(album)


class _Job:
    """One run of the demo, with the folder and the displays that it uses."""

    def __init__(self, options: DemoOptions) -> None:
        self._begin = time.perf_counter()
        self._options = options
        self._out = _fresh_folder(options.out, options.photos)
        self._logs = LogFiles(self._out / "logs")
        self._console = Console(stderr=True)
        self._display = Display(self._console)
        self._memory = MemoryWatch()
        self._run: DemoRun | None = None
        self._cached = False
        """Whether the engine package was there before the run."""

    def make_album(self) -> Album:
        """Start the services, run all stages, and stop what was started."""
        fleet = Fleet(self._logs, inherited=without_settings(os.environ))
        with stopping_on_signals(), self._memory, self._display, fleet:
            services = DemoServices(
                fleet,
                self._logs,
                home=self._out / "home",
                foundation=self._options.foundation_folder,
                engines=self._options.engines.absolute(),
                analyzer=self._analyzer(),
                styles=self._options.style_folder,
            )
            self._cached = services.has_package()
            self._run = DemoRun(self._options, self._out, services, self._display, self._memory)
            album = asyncio.run(self._run.album(self._cached))
            with self._display.stage("stop", "Stopping services"):
                fleet.stop()
        return album

    def _analyzer(self) -> Analyzer:
        foundation = self._options.foundation_folder
        # A folder that is no foundation is told before anything is brought for it.
        Foundation.read(foundation)
        return choose(foundation, self._options.faces, lambda: self._display.stage("analyzer", "Bringing analyzer"))

    def write_pictures(self, album: Album) -> None:
        """Write the page with its portraits, and the contact sheet."""
        write_album(album, self._out)
        contact_sheet(album).save(self._out / "contact-sheet.png")

    def succeed(self, album: Album) -> ExitCode:
        """Write the report, and say where the results are."""
        total_seconds = time.perf_counter() - self._begin
        done = report.success(album, total_seconds=total_seconds, engine_cached=self._cached)
        done.write(self._out / "report.json")
        _say_where(self._console, self._out, total_seconds)
        return ExitCode.OK

    def fail(self, error: BaseException) -> ExitCode:
        """Write the report of a run that broke off, and what it had finished; say why, and what is left."""
        code = exit_code(error)
        album = self._finished(error)
        self._report_of(error, album).write(self._out / "report.json")
        # The advice names commands to a gateway, and the demo's own has stopped.
        print_error(error, code, as_json=False, with_advice=False)
        _say_what_is_left(self._console, self._out, album)
        return code

    def _finished(self, error: BaseException) -> Album | None:
        """What was there when the run was stopped, on the page; None: nothing, or the disk refuses more."""
        album = self._run.finished() if self._run is not None and not isinstance(error, OSError) else None
        if album is not None:
            with uninterrupted():
                self.write_pictures(album)
        return album

    def _report_of(self, error: BaseException, album: Album | None) -> report.Report:
        total_seconds = time.perf_counter() - self._begin
        if album is not None:
            done = report.success(album, total_seconds=total_seconds, engine_cached=self._cached)
            return replace(done, ok=False, error=str(error) or "stopped")
        return report.failure(
            str(error) or "stopped",
            foundation=self._options.foundation_shown,
            person=self._options.person_name,
            stages=self._display.stages,
            total_seconds=total_seconds,
            peak_rss_mb=self._memory.peak_mb,
            photos=self._run.uploaded if self._run else 0,
            left_out=self._run.left_out if self._run else (),
        )


def _fresh_folder(out: Path, photos: Path | None) -> Path:
    """Empty the folder of an earlier run's working files. Its gallery stays until there is a new one; so do others.

    Raises:
        InvalidArgumentError: PHOTOS_IN_THE_WAY: the folders to empty hold the `photos` to learn from.
    """
    out = out.absolute()
    working_folders = [out / name for name in ("home", "logs", "selfies", OTHERS)]
    for folder in [*working_folders, out / PORTRAITS]:
        if photos is not None and photos.resolve().is_relative_to(folder.resolve()):
            raise InvalidArgumentError(
                "PHOTOS_IN_THE_WAY",
                f"each run empties {folder}, and with it {photos}: copy the photos to another folder, or name another "
                "--out",
            )
    out.mkdir(parents=True, exist_ok=True)
    for folder in working_folders:
        shutil.rmtree(folder, ignore_errors=True)
    (out / "report.json").unlink(missing_ok=True)
    return out


def _say_what_is_left(console: Console, out: Path, album: Album | None) -> None:
    """After a run that broke off."""
    if any((out / "logs").iterdir()):
        console.print(f"logs are in {out / 'logs'}", highlight=False, soft_wrap=True)
    if album is not None:
        told = f"{out / 'gallery.html'} shows what was finished: {counted(album.image_count, 'portrait')}"
        console.print(told, highlight=False, soft_wrap=True)
    elif (out / "gallery.html").exists():
        console.print(f"{out / 'gallery.html'} is an earlier run's", highlight=False, soft_wrap=True)


def _say_where(console: Console, out: Path, total_seconds: float) -> None:
    console.print(f"\n[bold green]Done[/] in {total_seconds:.0f} s:", highlight=False)
    left = {
        "gallery.html": "the page",
        PORTRAITS: "the files, best first",
        "contact-sheet.png": "one picture",
        "report.json": "figures",
    }
    for name, what in left.items():
        console.print(f"  {out / name}  [bright_black]{what}", highlight=False, soft_wrap=True)
