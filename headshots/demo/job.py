"""The demo: the main job from selfies to a gallery, with all that it started stopped at its end."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from rich.console import Console

from headshots.cli.exits import ExitCode, exit_code, tell
from headshots.cli.processes import Fleet, LogFiles, stopping_on_signals
from headshots.demo import report
from headshots.demo.display import Display
from headshots.demo.memory import MemoryWatch
from headshots.demo.page import gallery_page
from headshots.demo.services import DemoServices, environment_without_settings
from headshots.demo.sheet import contact_sheet
from headshots.demo.steps import DemoOptions, DemoRun
from headshots.errors import HeadshotsError, InvalidArgumentError


def run_demo(options: DemoOptions) -> ExitCode:
    """Run it; leaves gallery.html, contact-sheet.png and report.json in `options.out`, and the logs beside them.

    A run that breaks off leaves its report and logs, and the page and the sheet of the last that did not.

    Raises:
        InvalidArgumentError: PHOTOS_IN_THE_WAY.
    """
    begin = time.perf_counter()
    out = _fresh_folder(options.out, options.photos)
    logs = LogFiles(out / "logs")
    console = Console(stderr=True)
    display, memory, run = Display(console), MemoryWatch(), None
    try:
        with stopping_on_signals(), memory, display, Fleet(logs, inherited=environment_without_settings()) as fleet:
            services = DemoServices(
                fleet,
                logs,
                home=out / "home",
                foundation=options.foundation_folder,
                engines=options.engines.absolute(),
            )
            cached = services.has_package()
            run = DemoRun(options, out, services, display, memory)
            album = asyncio.run(run.album(cached))
            with display.stage("stop", "Stopping services"):
                fleet.stop()
        (out / "gallery.html").write_text(gallery_page(album), encoding="utf-8")
        contact_sheet(album).save(out / "contact-sheet.png")
    except (HeadshotsError, OSError, KeyboardInterrupt) as error:
        code = exit_code(error)
        failed = report.failure(
            str(error) or "stopped",
            foundation=options.foundation_folder.name,
            person=options.person_name,
            stages=display.stages,
            total_seconds=time.perf_counter() - begin,
            peak_rss_mb=memory.peak_mb,
            photos=run.uploaded if run else 0,
            left_out=run.left_out if run else (),
        )
        failed.write(out / "report.json")
        # The cures are commands to a gateway, and the demo's own has stopped.
        tell(error, code, as_json=False, cures=False)
        _say_what_is_left(console, out)
        return code
    total_seconds = time.perf_counter() - begin
    report.success(album, total_seconds=total_seconds, engine_cached=cached).write(out / "report.json")
    _say_where(console, out, total_seconds)
    return ExitCode.OK


def _fresh_folder(out: Path, photos: Path | None) -> Path:
    """The folder without an earlier run's workings; its gallery stays until there is a new one, and files of others.

    Raises:
        InvalidArgumentError: PHOTOS_IN_THE_WAY: the workings hold the `photos` that are to be learned from.
    """
    out = out.absolute()
    workings = [out / name for name in ("home", "logs", "selfies")]
    for folder in workings:
        if photos is not None and photos.resolve().is_relative_to(folder.resolve()):
            raise InvalidArgumentError(
                "PHOTOS_IN_THE_WAY",
                f"each run empties {folder}, and with it {photos}: copy the photos to another folder, or name another "
                "--out",
            )
    out.mkdir(parents=True, exist_ok=True)
    for folder in workings:
        shutil.rmtree(folder, ignore_errors=True)
    (out / "report.json").unlink(missing_ok=True)
    return out


def _say_what_is_left(console: Console, out: Path) -> None:
    """After a run that broke off."""
    if any((out / "logs").iterdir()):
        console.print(f"logs are in {out / 'logs'}", highlight=False, soft_wrap=True)
    if (out / "gallery.html").exists():
        console.print(f"{out / 'gallery.html'} is an earlier run's", highlight=False, soft_wrap=True)


def _say_where(console: Console, out: Path, total_seconds: float) -> None:
    console.print(f"\n[bold green]Done[/] in {total_seconds:.0f} s:", highlight=False)
    for name, what in (("gallery.html", "the page"), ("contact-sheet.png", "one picture"), ("report.json", "figures")):
        console.print(f"  {out / name}  [bright_black]{what}", highlight=False, soft_wrap=True)
