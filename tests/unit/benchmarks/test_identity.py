"""The identity check: which digests it takes, and that no difference between two runs passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.identity.checkout import Checkout
from benchmarks.identity.comparing import compare
from benchmarks.identity.digests import digest, folder_digest, gallery_items, package_items, store_items
from tests.support.paths import ROOT


def compare_files(
    folder: Path, before: dict[str, object], after: dict[str, object]
) -> subprocess.CompletedProcess[str]:
    files = folder / "before.json", folder / "after.json"
    for file, value in zip(files, (before, after), strict=True):
        file.write_text(json.dumps(value))
    command = [sys.executable, "-m", "benchmarks.identity", "--compare", *map(str, files)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)


def test_equal_runs_of_two_revisions_pass(tmp_path: Path) -> None:
    items = {"a.png": "12", "b.png": "34"}
    done = compare_files(tmp_path, {"revision": "old", "items": items}, {"revision": "new", "items": items})
    assert done.returncode == 0, done.stderr
    assert done.stdout == "equal        a.png\nequal        b.png\n2 of 2 are equal\n"


def test_a_difference_ends_with_1_and_is_named(tmp_path: Path) -> None:
    done = compare_files(tmp_path, {"items": {"a": "12", "b": "34"}}, {"items": {"a": "12", "b": "35"}})
    assert done.returncode == 1, done.stderr
    assert done.stdout == "equal        a\ndifferent    b\n1 of 2 are equal\n"


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ({"a": "12"}, {}, ["only before  a", "0 of 1 are equal"]),
        ({"a": "12"}, {"a": "12", "b": "34"}, ["equal        a", "only after   b", "1 of 2 are equal"]),
        ({}, {}, ["0 of 0 are equal"]),
    ],
)
def test_what_one_run_lacks_is_a_difference_and_so_is_nothing_at_all(
    before: dict[str, str], after: dict[str, str], lines: list[str]
) -> None:
    assert compare(before, after) == (lines, False)


def test_a_folders_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    def of(files: dict[str, str]) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return folder_digest(folder)

    first = of({"a": "1", "deep/b": "2"})
    assert first == of({"deep/b": "2", "a": "1"})
    assert len({first, of({"a": "1", "deep/b": "3"}), of({"a": "1", "deep/c": "2"}), of({"a": "1", "b": "2"})}) == 4


def test_a_package_counts_with_every_file_and_its_key(tmp_path: Path) -> None:
    (tmp_path / "unet.onnx").write_bytes(b"graph")
    (tmp_path / "engine.json").write_text('{"key": "abc"}')
    items = package_items(tmp_path)
    assert items["unet.onnx"] == digest(b"graph")
    assert items["engine.json key"] == "abc"
    assert sorted(items) == ["engine.json", "engine.json key", "package", "unet.onnx"]


def test_a_gallery_counts_by_files_not_by_the_order_in_which_they_came(tmp_path: Path) -> None:
    files, images = [], [{"likeness": 0.5}, {"likeness": None}]
    for name in ("suit-11.png", "suit-12.png"):
        (tmp_path / name).write_text(name)
        files.append(str(tmp_path / name))
    items = gallery_items({"files": files, "gallery": {"images": images}})
    assert items == {
        "suit-11.png": digest(b"suit-11.png"),
        "suit-11.png likeness": "0.5",
        "suit-12.png": digest(b"suit-12.png"),
    }
    assert items == gallery_items({"files": files[::-1], "gallery": {"images": images[::-1]}})


def test_ids_that_every_run_draws_anew_do_not_count(tmp_path: Path) -> None:
    def of(subject: str, weights: str) -> dict[str, str]:
        objects = tmp_path / subject / weights
        adapter = objects / "subjects" / subject / "adapters" / "t1"
        photos = objects / "subjects" / subject / "photos"
        for folder in (adapter, photos):
            folder.mkdir(parents=True)
        (adapter / "manifest.json").write_text(f'{{"key": "subjects/{subject}/adapters/t1"}}')
        (adapter / "adapter.safetensors").write_text(weights)
        (photos / "1.png").write_text("pixels")
        return store_items(objects, {subject: "SUBJECT", "t1": "TRAINING"})

    ours = of("s1", "weights")
    assert ours == of("s2", "weights")
    assert sorted(ours) == [
        "subjects/SUBJECT/adapters/TRAINING/adapter.safetensors",
        "subjects/SUBJECT/adapters/TRAINING/manifest.json",
        "subjects/SUBJECT/photos",
    ]
    changed = of("s3", "other weights")
    assert [name for name in ours if ours[name] != changed[name]] == [
        "subjects/SUBJECT/adapters/TRAINING/adapter.safetensors"
    ]


def test_it_refuses_where_children_would_import_another_checkout(tmp_path: Path) -> None:
    checkout = Checkout(ROOT)
    environment = checkout.environment(tmp_path)
    checkout.check_imports(environment)
    with pytest.raises(SystemExit, match="child processes import"):
        Checkout(tmp_path).check_imports(environment)
