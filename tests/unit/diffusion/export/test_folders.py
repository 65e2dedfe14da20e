"""Where a package goes: whole or not at all, over nothing but a package; what a killed process leaves is cleared."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from headshots.cli.app import app
from headshots.diffusion.export import ensure
from headshots.diffusion.export.ensure import export_to, export_to_in_child
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.publish import exclusive, publish, sweep
from headshots.errors import InvalidArgumentError, UnavailableError
from tests.support.foundations.engines import OPTIONS, tiny_foundation, tiny_package
from tests.support.waiting import PATIENCE_SECONDS

PARENT = """
import json, sys
from pathlib import Path
from headshots.diffusion.export.ensure import ExportOptions, ensure_package_in_child
options = ExportOptions(**json.loads(sys.argv[3]))
sys.executable = sys.argv[4]
ensure_package_in_child(Path(sys.argv[1]), Path(sys.argv[2]), options, lambda stage, share: print(stage, flush=True))
"""
# The export as it is, but that it stands still where it first says what it does.
CHILD = """
import sys, time
from headshots.diffusion.export import __main__ as export
ensure_package = export.ensure_package
def stand_still(foundation, cache_dir, options, progress):
    ensure_package(foundation, cache_dir, options, lambda *said: (progress(*said), time.sleep(1e6)))
export.ensure_package = stand_still
sys.argv[:] = sys.argv[2:]
sys.exit(export.main())
"""


def test_a_folder_appears_whole_and_replaces_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    publish(folder, lambda partial: (partial / "a").write_text("old"))

    def write(partial: Path) -> None:
        (partial / "b").write_text("new")
        assert [path.name for path in folder.iterdir()] == ["a"], "until it is whole the old one stays"

    publish(folder, write)
    assert [path.name for path in tmp_path.iterdir()] == ["package"]
    assert [path.name for path in folder.iterdir()] == ["b"]


def test_what_fails_leaves_the_old_and_no_rest(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    publish(folder, lambda partial: (partial / "a").write_text("old"))

    def fail(partial: Path) -> None:
        (partial / "b").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        publish(folder, fail)
    assert [path.name for path in folder.iterdir()] == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_sweeping_removes_what_killed_processes_left_and_nothing_else(tmp_path: Path) -> None:
    dead, living = tmp_path / ".old.partial-1", tmp_path / ".new.partial-2"
    for left in (dead, living):
        left.mkdir()
    with exclusive(tmp_path / "new"):
        sweep(tmp_path)
        assert not dead.exists()
        assert living.exists()
    sweep(tmp_path, "another")
    assert living.exists()
    sweep(tmp_path)
    assert not living.exists()


def test_an_export_ends_with_the_process_that_asked_for_it(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed as the out-of-memory killer kills: what the export leaves is gone after the next start."""
    python = tmp_path_factory.mktemp("bin") / "python"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{CHILD}' \"$@\"\n")
    python.chmod(0o700)
    arguments = [str(tiny_foundation()), str(tmp_path), json.dumps(asdict(OPTIONS)), str(python)]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *arguments], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert "tracing" in parent.stdout.readline()
    (child,) = psutil.Process(parent.pid).children()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs([child], timeout=PATIENCE_SECONDS)[0] == [child]
    assert list(tmp_path.glob(".*.partial-*"))
    assert not [path for path in tmp_path.iterdir() if path.is_dir() and not path.name.startswith(".")]
    sweep(tmp_path)
    assert not list(tmp_path.glob(".*.partial-*"))


@pytest.mark.parametrize(
    ("command", "says"),
    [("kill -9 $$", "status -9: it was killed, .* memory"), ("echo out of luck; exit 3", "status 3: out of luck")],
)
def test_an_export_that_ends_badly_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, says: str
) -> None:
    child = tmp_path / "python"
    child.write_text(f"#!/bin/sh\n{command}\n")
    child.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(child))
    with pytest.raises(UnavailableError, match=says) as caught:
        export_to_in_child(tiny_foundation(), tmp_path / "engine", OPTIONS)
    assert caught.value.reason == "EXPORT_FAILED"


def test_out_is_the_package_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    there = tiny_package().folder

    def write(foundation: object, digest: str, folder: Path, options: object, progress: object) -> None:
        made.append(folder)

    monkeypatch.setattr(ensure, "write_package", write)
    assert export_to(tiny_foundation(), tmp_path / "new" / "engine", OPTIONS) == tmp_path / "new" / "engine"
    assert export_to(tiny_foundation(), there, OPTIONS) == there
    assert export_to_in_child(tiny_foundation(), there, OPTIONS) == there
    assert made == [tmp_path / "new" / "engine"], "what is there already is not made again"
    export_to(tiny_foundation(), there, replace(OPTIONS, slots=5))
    assert made[1:] == [there], "another package is replaced"


def test_files_that_are_no_package_are_never_replaced(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.odt"
    thesis.write_text("four years")
    for make in (export_to, export_to_in_child):
        for out in (tmp_path, thesis):
            with pytest.raises(InvalidArgumentError) as caught:
                make(tiny_foundation(), out, OPTIONS)
            assert caught.value.reason == "EXPORT_OUT_NOT_EMPTY"
    assert thesis.read_text() == "four years"
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["thesis.odt"]


@pytest.mark.parametrize("place", ["--out", "--engines"])
def test_a_place_that_cannot_be_written_is_told_before_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    monkeypatch.setattr(ensure, "_run_child", lambda *_: pytest.fail("the export began"))
    code, said = run_export(place, str(tmp_path / "missing" / "folder"))
    assert code == 4
    assert f"EXPORT_OUT_NOT_WRITABLE: {tmp_path} is no folder that this user may write to" in said


def test_a_package_that_is_there_is_found_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_package().folder
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert export_to(tiny_foundation(), folder, OPTIONS) == folder
    assert export_to_in_child(tiny_foundation(), folder, OPTIONS) == folder


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for make in (export_to_in_child, ensure.ensure_package_in_child):
        with pytest.raises(InvalidArgumentError) as caught:
            make(tiny_foundation(), tmp_path / "file" / "package", OPTIONS)
        assert caught.value.reason == "EXPORT_OUT_NOT_WRITABLE"


def run_export(*arguments: str) -> tuple[int, str]:
    given = ["--max-rank", str(OPTIONS.max_rank), "--slots", str(OPTIONS.slots), "--max-rows", str(OPTIONS.max_rows)]
    result = CliRunner().invoke(app, ["export", "--foundation", str(tiny_foundation()), *given, *arguments])
    return result.exit_code, result.stdout + result.stderr


def test_the_command_checks_for_tensorrt_and_says_so_to_scripts() -> None:
    folder = tiny_package().folder
    code, said = run_export("--out", str(folder), "--check-tensorrt", "--json")
    assert (code, json.loads(said)) == (0, {"package": str(folder), "tensorrt": []})
    code, said = run_export("--out", str(folder), "--check-tensorrt")
    assert code == 0
    assert "TensorRT's parser takes every node" in said


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--size", "64"], 4, "WIDTHxHEIGHT"),
        (["--size", "64x63"], 4, "multiples of 16"),
        (["--out", "a", "--engines", "b"], 2, "not both"),
        (["--precision", "fp8"], 2, "fp16"),
        (["--tensorrt-rtx", "sm90"], 4, "H100 and H200"),
        (["--build-memory-gb", "inf"], 4, "finite number above 0"),
    ],
)
def test_the_command_refuses_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = run_export(*arguments)
    assert found[0] == code
    assert says in found[1]
    assert not list(tmp_path.iterdir())


def test_sizes_are_the_bounds_of_what_is_taken() -> None:
    package = tiny_package()
    assert (package.width_range_px, package.height_range_px) == ((16, 128), (16, 128)), "none given: up to twice native"
    sized = replace(package, sizes=((64, 96), (48, 128)))
    assert (sized.width_range_px, sized.height_range_px) == ((48, 64), (96, 128))
    assert sized.within_profiles() == sized
    native = package.within_profiles()
    assert (native.width_range_px, native.height_range_px) == ((64, 64), (64, 64))


def test_the_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    package = replace(tiny_package(), sizes=((64, 96), (48, 128)), vae_rows=3, files={})
    moved = replace(package, folder=tmp_path)
    moved.write()
    assert EnginePackage.read(tmp_path) == moved
