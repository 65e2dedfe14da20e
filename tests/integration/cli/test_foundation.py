"""`headshots foundation import`, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headshots.cli.app import app
from headshots.console.exits import ExitCode
from tests.support.foundations.layouts import found
from tests.support.foundations.single_files import write_single


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["foundation", *map(str, words)])


def test_import_prints_the_folder_says_what_was_taken_and_does_nothing_twice(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run("import", found("sd15", "fp16"), "--out", out)
    assert first.exit_code == ExitCode.OK, first.output
    assert first.stdout.split() == [str(out)]
    assert "unet: the variant fp16 was taken" in first.stderr
    assert "importing: 100 %" in first.stderr
    again = run("import", found("sd15", "fp16"), "--out", out)
    assert again.stderr.endswith("it was imported already\n")
    told = run("import", found("sd15", "fp16"), "--out", out, "--json")
    assert json.loads(told.stdout) == {"foundation": str(out), "imported": False, "notes": []}


def test_what_cannot_be_imported_ends_with_4_and_the_cure(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"\x80\x02.")
    refused = run("import", tmp_path / "model.ckpt", "--out", tmp_path / "out")
    assert refused.exit_code == ExitCode.REFUSED
    assert "FOUNDATION_PICKLED" in refused.stderr
    assert "model.ckpt can run code" in refused.stderr


def test_a_single_file_asks_the_package_index_for_clips_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    source = write_single(tmp_path / "model.safetensors", "sdxl", "v_pred")
    options = ["--prediction", "v_prediction", "--no-zero-terminal-snr", "--native-size", 64]
    missing = run("import", source, "--out", tmp_path / "out", "--find-links", tmp_path, *options)
    assert missing.exit_code == ExitCode.REFUSED
    assert "PACKAGE_MISSING: open-clip-torch 3.3.0" in missing.stderr
    assert "--find-links" in missing.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_dir() and any(path.iterdir())] == []
