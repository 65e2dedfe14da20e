"""Writes pages, and tells whether one would take the place of somebody else's file."""

from __future__ import annotations

import os
from pathlib import Path

from headshots.errors import AlreadyExistsError
from headshots.pages.models import Page
from headshots.pages.page import MADE_BY, html_page

_HEAD_BYTES = 2048


def check_replaceable(path: Path) -> None:
    """Returns where a page may be written: there is nothing yet, or an earlier page.

    Raises:
        AlreadyExistsError: PAGE_IN_THE_WAY.
    """
    if not path.exists():
        return
    if path.is_file():
        with path.open("rb") as file:
            if MADE_BY.encode() in file.read(_HEAD_BYTES):
                return
    message = f"{path} is not a page of headshots, and is left as it is; name another folder, or move it away"
    raise AlreadyExistsError("PAGE_IN_THE_WAY", message)


def write_page(page: Page, path: Path) -> Path:
    """Write a page, whole or not at all, over what is there; its pictures lie where it says, seen from `path`."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(html_page(page), encoding="utf-8")
    unfinished.replace(path)
    return path
