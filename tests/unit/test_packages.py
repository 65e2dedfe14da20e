"""Packages come from a folder or through pip, and only the pinned file is taken. No network: pip has folders too."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from headshots.errors import FailedPreconditionError
from headshots.faces.people.installing.packages import PACKAGES
from headshots.packages import Package, bring, find_links, take
from tests.support.faces.packages import CONTENT, write_source, write_wheel


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def offline(folder: Path) -> dict[str, str]:
    """What pip is run with: that folder, and no index."""
    return {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.mark.parametrize("write", [write_wheel, write_source])
def test_a_folder_that_has_the_file_is_enough(tmp_path: Path, work: Path, write: Callable[[Path], Package]) -> None:
    package = write(tmp_path)
    # No pip could be run with this: there is no PATH and no index.
    path = bring(package, [work, tmp_path], work, {"PIP_NO_INDEX": "1"})
    assert path == tmp_path / package.file
    taken = take(package, path)
    assert taken == {next(iter(package.members)): CONTENT, package.licences[0]: b"do as you like"}
    assert list(work.iterdir()) == []


def test_pip_brings_the_pinned_file(tmp_path: Path, work: Path) -> None:
    package = write_wheel(tmp_path)
    assert bring(package, [], work, offline(tmp_path)) == work / package.file


def test_pip_refuses_another_file_of_that_version(tmp_path: Path, work: Path) -> None:
    package = write_wheel(tmp_path)
    write_wheel(tmp_path, b"others")
    with pytest.raises(FailedPreconditionError, match=r"toynets 1\.0") as caught:
        bring(package, [], work, offline(tmp_path))
    assert caught.value.reason == "PACKAGE_CHANGED"
    assert not (work / package.file).exists()


def test_a_package_that_nobody_has_is_told_with_the_cure(tmp_path: Path, work: Path) -> None:
    package = replace(write_wheel(tmp_path), version="2.0", file="toynets-2.0-py3-none-any.whl")
    with pytest.raises(FailedPreconditionError, match=r"No matching distribution") as caught:
        bring(package, [], work, offline(tmp_path))
    assert caught.value.reason == "PACKAGE_MISSING"
    assert "pip download --no-deps toynets==2.0" in caught.value.message
    assert "--find-links or PIP_FIND_LINKS" in caught.value.message
    assert package.file in caught.value.message


def test_a_python_without_pip_says_so(tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FailedPreconditionError, match="has no pip"):
        bring(write_wheel(tmp_path), [], work, offline(tmp_path))


def test_a_changed_file_in_a_folder_is_refused_and_named(tmp_path: Path, work: Path) -> None:
    package = write_wheel(tmp_path)
    (tmp_path / package.file).write_bytes(b"something else")
    with pytest.raises(FailedPreconditionError) as caught:
        bring(package, [tmp_path], work, {})
    assert caught.value.reason == "PACKAGE_CHANGED"
    assert str(tmp_path / package.file) in caught.value.message
    assert package.sha256 in caught.value.message


def test_a_changed_net_within_the_file_is_refused(tmp_path: Path) -> None:
    package = write_wheel(tmp_path)
    with pytest.raises(FailedPreconditionError, match=r"net\.bin"):
        take(replace(package, members=dict.fromkeys(package.members, "00" * 32)), tmp_path / package.file)
    with pytest.raises(FailedPreconditionError, match=r"other\.bin"):
        take(replace(package, members={"other.bin": "00" * 32}), tmp_path / package.file)
    with pytest.raises(FailedPreconditionError, match="without its NOTICE"):
        take(replace(package, licences=("NOTICE",)), tmp_path / package.file)


def test_folders_of_pip_find_links_are_looked_through_and_addresses_left_to_pip(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    named = f"{tmp_path} https://example.com/wheels {other.as_uri()} /no/such/folder"
    assert find_links({"PIP_FIND_LINKS": named}) == [tmp_path, other]
    assert find_links({}) == []


def test_no_net_is_taken_whose_licence_forbids_commercial_use() -> None:
    members = [member for package in PACKAGES for member in package.members]
    assert members
    assert not [member for member in members if "68" in member or "nudenet" in member]
    assert all(package.licences for package in PACKAGES)
