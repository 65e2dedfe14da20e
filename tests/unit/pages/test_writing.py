"""A page takes the place of an earlier page, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.errors import AlreadyExistsError
from headshots.pages.writing import check_replaceable, write_page
from tests.support.images.pages import page


def test_an_earlier_page_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gallery.html"
    check_replaceable(path)
    write_page(page(title="Ada"), path)
    check_replaceable(path)
    write_page(page(title="Bo"), path)
    assert "<h1>Bo</h1>" in path.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_or_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    file, folder = tmp_path / "file.html", tmp_path / "folder.html"
    file.write_text("<p>mine</p>")
    folder.mkdir()
    for path in (file, folder):
        with pytest.raises(
            AlreadyExistsError, match=r"PAGE_IN_THE_WAY.*is not a page of headshots.*name another folder"
        ):
            check_replaceable(path)
