"""Tells which analyzers there are, and which of them can be opened here."""

from __future__ import annotations

from dataclasses import dataclass

from headshots.faces.people.files import is_whole, read_manifest
from headshots.settings import Home, default_analyzer


@dataclass(frozen=True, slots=True)
class Overview:
    """One analyzer."""

    name: str
    faces: str
    """Whose faces it knows."""
    state: str
    """Whether its files are there; what to do where they are not."""


def overview(home: Home) -> list[Overview]:
    """Every analyzer, by the name that settings choose it by."""
    folder = default_analyzer()
    bundled = f"ready: {folder}" if (folder / "analyzer.json").is_file() else "not in this checkout"
    return [
        Overview("bundled", "drawn, of the bundled foundation", bundled),
        Overview("people", "real", _state_of_people(home)),
        Overview("opencv", "real", "its files are mounted: HEADSHOTS_{GATEWAY,TRAINER,GENERATOR}_FACES_DIR"),
        Overview("none", "no faces are looked for", "ready"),
    ]


def _state_of_people(home: Home) -> str:
    folder = home.analyzer("people")
    if is_whole(folder):
        return f"ready: {folder}"
    what = "not installed" if read_manifest(folder) is None else "damaged, or of another version of headshots"
    return f"{what}: headshots analyzers install people"
