"""Tests that the Makefile reports a wrong Python clearly, and never installs twice."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.deploy.tree import ROOT
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What make needs of the repository to decide what to do."""
    for name in ("Makefile", "pyproject.toml", "setup.py", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _make(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        # Whatever make runs these tests must not speak through its own variables.
        env={"PATH": f"{ROOT / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin", **environment},
    )


def _installed(checkout: Path, python: str = "") -> None:
    """Leave what an installation leaves, with ``python``, a shell script, for the interpreter of ``.venv``."""
    (checkout / ".venv/bin").mkdir(parents=True)
    interpreter = checkout / ".venv/bin/python"
    interpreter.write_text(f"#!/bin/sh\n{python}\n")
    interpreter.chmod(0o755)
    digest = subprocess.run(
        "cat pyproject.toml setup.py constraints.txt | cksum | tr ' ' '-'",
        shell=True,
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    for extra in ("dev", "demo"):
        (checkout / f".venv/.installed-{extra}-{digest}").touch()


def _interpreter(checkout: Path, text: str) -> str:
    path = checkout / "python-of-old"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_help_lists_the_verbs(checkout: Path) -> None:
    listed = re.findall(r"^  make ([a-z-]+)", _make(checkout, "help").stdout, re.MULTILINE)
    assert listed == [
        "help",
        "demo",
        "test",
        "lint",
        "protos",
        "bench",
        "bench-unet",
        "bench-serving",
        "bench-training",
        "bench-faults",
        "bench-promises",
        "bench-shoot",
        "bench-looks",
        "bench-gateway",
        "bench-people",
        "bench-tensorrt",
        "sbom",
    ]
    assert _make(checkout).stdout == _make(checkout, "help").stdout


def test_an_old_python_is_named_with_the_cure(checkout: Path) -> None:
    old = _interpreter(checkout, 'test "$1" = --version && echo Python 3.9.18; exit 1')
    result = _make(checkout, "test", f"PYTHON={old}")
    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stdout
    assert "Python 3.9.18" in result.stdout
    assert not (checkout / ".venv").exists()


def test_no_python_is_said_too(checkout: Path) -> None:
    result = _make(checkout, "demo", "PYTHON=")
    assert result.returncode != 0
    assert "found none on PATH" in result.stdout


def test_a_python_without_venv_is_told_how_to_get_it(checkout: Path) -> None:
    bare = _interpreter(checkout, 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    result = _make(checkout, "test", f"PYTHON={bare}")
    assert result.returncode != 0
    assert "apt-get install python3-venv" in result.stdout


def test_what_is_installed_is_not_installed_again_until_the_pins_change(checkout: Path) -> None:
    assert "pip install" in _make(checkout, "-n", "demo").stdout
    _installed(checkout)
    for verb in ("demo", "test", "lint"):
        assert "pip install" not in _make(checkout, "-n", verb).stdout
    with (checkout / "constraints.txt").open("a") as file:
        file.write("more==1\n")
    for verb in ("demo", "test"):
        assert "pip install" in _make(checkout, "-n", verb).stdout


def test_the_demo_s_variables_become_options(checkout: Path) -> None:
    asked = _make(checkout, "-n", "demo", "PHOTOS=my selfies", "FOUNDATION=/models/sd", "PERSON=3").stdout
    assert "--photos 'my selfies' --foundation '/models/sd'" in asked
    assert "--person 3" in asked
    fused = _make(checkout, "-n", "demo", "FUSE=/my lora.safetensors@0.5", "FEW_STEPS=lcm-4").stdout
    assert "--fuse '/my lora.safetensors@0.5' --few-steps 'lcm-4'" in fused
    assert "--photos" not in _make(checkout, "-n", "demo").stdout


def test_byte_code_is_kept_although_the_environment_forbids_it(checkout: Path) -> None:
    _installed(checkout, 'echo "forbidden: ${PYTHONDONTWRITEBYTECODE:-no}"')
    assert _make(checkout, "test", PYTHONDONTWRITEBYTECODE="1").stdout.splitlines()[-1] == "forbidden: no"
