"""Makes the page of a run, and writes its pictures beside it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from headshots.console.output import counted
from headshots.console.shoots import turnaround_line
from headshots.demo.results import comparing
from headshots.demo.results.album import Album, LeftOut, thumbnail
from headshots.pages import collecting
from headshots.pages.models import Measure, Page, Picture, Timing
from headshots.pages.words import title_of
from headshots.pages.writing import write_page

PORTRAITS = "portraits"
"""Folder of the portraits' files, within that of the results; the selfies are in a folder of it."""
SELFIES = "selfies"
_STAGES = {
    "selfies": "collecting selfies",
    "analyzer": "bringing the analyzer",
    "export": "exporting the engine",
    "start": "starting services",
    "inspect": "inspecting selfies",
    "upload": "uploading selfies",
    "train": "training",
    "paint": "painting and judging",
    "fetch": "fetching portraits",
    "remix": "remixing the best",
    "colleagues": "training two colleagues",
    "team": "painting a team",
    "stop": "stopping services",
}


def write_album(album: Album, out: Path) -> None:
    """Write gallery.html and its folder of pictures, in place of those of an earlier run."""
    folder, unfinished = out / PORTRAITS, out / f".{PORTRAITS}"
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / SELFIES).mkdir(parents=True)
    for each in album.portraits:
        (unfinished / each.filename).write_bytes(each.painted.content)
    selfies = [_write_selfie(album, number, unfinished / SELFIES) for number in range(len(album.selfies))]
    for file, content in comparing.files(album).items():
        (unfinished / file).parent.mkdir(exist_ok=True)
        (unfinished / file).write_bytes(content)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    write_page(page_of(album, selfies), out / "gallery.html")


def _write_selfie(album: Album, number: int, folder: Path) -> Picture:
    """A small copy, without what a photo's file tells of place and time."""
    copy = thumbnail(album.selfies[number])
    name = f"selfie-{number + 1:02d}.jpg"
    copy.save(folder / name, "JPEG", quality=88)
    return Picture(f"{PORTRAITS}/{SELFIES}/{name}", *copy.size, f"Selfie {number + 1} of {album.person}")


def page_of(album: Album, selfies: Sequence[Picture]) -> Page:
    """The page of a run; `selfies`: their copies."""
    shoot = album.shoot
    titles = {each.style.name: each.label for each in album.portraits}
    shown = [
        collecting.portrait(each.painted.image, f"{PORTRAITS}/{each.filename}", album.person, titles)
        for each in album.portraits
    ]
    return Page(
        title=album.person,
        lead=f"{counted(album.image_count, 'portrait')} in {counted(len(titles), 'style')}, from "
        f"{counted(len(album.selfies), 'selfie')} and one order.",
        facts=collecting.facts(shoot.delivered, shoot.asked, shoot.tries, shoot.guarantee, shown),
        portraits=shown,
        selfies=selfies,
        selfies_note=f"All that the training saw of {album.person}.{_left_out(album.left_out)}",
        remix=comparing.remix(album.remix, album.person, PORTRAITS),
        team=comparing.team(album.team, PORTRAITS),
        learning=collecting.learning(album.training),
        timings=[Timing(_STAGES.get(stage.name, stage.name), stage.seconds) for stage in album.stages],
        timing_note=f"{album.total_seconds:.0f} seconds in all. The shoot {turnaround_line(shoot)}.",
        figures=_figures(album),
        footer=f"Made by headshots on {album.made_on}.",
    )


def _left_out(left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return ""
    return f" Left out before: {', '.join(f'{each.filename} ({title_of(each.reason).lower()})' for each in left_out)}."


def _figures(album: Album) -> list[Measure]:
    return [
        Measure("Foundation", album.foundation),
        Measure("Styles", album.library),
        Measure("Face analyzer", album.analyzer or "none"),
        Measure("Seconds a portrait", f"{album.seconds_per_image:.2f}", "painted and judged together"),
        Measure("Peak memory", f"{album.peak_rss_mb / 1024:.1f} GiB", "all processes"),
    ]
