"""Walks all commands and counts the words that are cut at each width."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.fake_gateway.gateway import fake_gateway_in_thread
from tests.support.words.cases import CASES, ELSEWHERE, RAW
from tests.support.words.screens import ROOT, WIDE, Shown, cut_words, show
from tests.support.words.studio import Studio

WIDTHS = (60, 80, 120)


@dataclass
class Cut:
    """Words that are cut, each with the command and the width; and commands that ended otherwise than they should."""

    words: dict[int, list[str]] = field(default_factory=lambda: {width: [] for width in WIDTHS})
    wrong_codes: list[str] = field(default_factory=list)


def commands(group: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command, as it is typed, with the groups."""
    for name, command in group.commands.items():
        yield " ".join((*path, name))
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


def leaves() -> Iterator[str]:
    """Every command that does something."""
    groups = {name.rpartition(" ")[0] for name in commands()}
    return (name for name in commands() if name not in groups)


def missing() -> list[str]:
    """Commands of which nobody has said what to type, and lines for commands that are not there."""
    known = {*CASES, *ELSEWHERE}
    return sorted({*leaves()} ^ known)


def count(folder: Path) -> Cut:
    """Runs everything in terminals of all widths, against a gateway in memory. `folder`: for files."""
    cut = Cut()
    with fake_gateway_in_thread() as (fake, address):
        studio = Studio(fake, address, folder)
        for typed, code, is_raw in _typed():
            _compare(cut, studio, typed, code, is_raw=is_raw)
    return cut


def _typed() -> Iterator[tuple[str, int, bool]]:
    """What is typed, with its exit code, and whether its output is a file's content."""
    yield "--help", 0, False
    for command in commands():
        yield f"{command} --help", 0, False
        yield f"{command} --donaudampfschifffahrt", 2, False
    for command, lines in CASES.items():
        for line in lines:
            arguments, _, code = line.partition("=>")
            yield f"{command} {arguments}", int(code or 0), command in RAW


def _compare(cut: Cut, studio: Studio, typed: str, code: int, *, is_raw: bool) -> None:
    shown = {width: _shown(studio, typed, width) for width in (WIDE, *WIDTHS)}
    if shown[WIDE].code != code:
        cut.wrong_codes.append(f"{typed}: {shown[WIDE].code}, not {code}:\n{shown[WIDE].text}")
    for width in WIDTHS if not is_raw else ():
        cut.words[width] += [f"{width}: {typed}: {word}" for word in cut_words(shown[width], shown[WIDE])]


def _shown(studio: Studio, typed: str, width: int) -> Shown:
    names = studio.fresh()
    arguments = [word.format(**names) for word in shlex.split(typed)]
    shown = show(arguments, width, studio.environment)
    # Each run writes to a folder of its own, whose name is as long as that of the others.
    return Shown(width, shown.code, shown.text.replace(names["out"], "_" * len(names["out"])))
