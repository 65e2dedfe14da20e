"""Tests that a command whose packages are missing says what to install, without a traceback."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions

import pytest

from headshots.cli.extras import MODULES, require
from headshots.errors import FailedPreconditionError
from tests.support.paths import ROOT
from tests.support.plain_installation import run_plain


def brought_by(extra: str) -> set[str]:
    """Distributions of the extra and of those that it names, with the SDK's own."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found, waiting = set(), [*project["dependencies"], f"headshots[{extra}]"]
    while waiting:
        requirement = waiting.pop()
        if requirement.startswith("headshots["):
            for name in requirement.removeprefix("headshots[").rstrip("]").split(","):
                waiting += project["optional-dependencies"][name]
        else:
            found.add(re.split(r"[\[<>=~! ]", requirement)[0])
    return found


@pytest.mark.parametrize("extra", MODULES)
def test_an_extra_brings_the_modules_that_its_commands_ask_for(extra: str) -> None:
    require("anything", extra)
    brought = brought_by(extra)
    for name in MODULES[extra]:
        assert brought & {each.lower().replace("_", "-") for each in packages_distributions()[name]}, name


def test_what_is_missing_is_named_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "export", ("yaml", "no_such_module"))
    with pytest.raises(FailedPreconditionError) as caught:
        require("export", "database", "export")
    assert caught.value.reason == "EXTRA_MISSING"
    assert "`headshots export` needs packages that are not installed (no_such_module)" in caught.value.message
    assert "pip install -c constraints.txt -e '.[database,export]'" in caught.value.message


def test_whose_licence_an_extra_is_under_is_told_before_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "tensorrt-rtx", ("no_such_module",))
    monkeypatch.setitem(MODULES, "export", ("no_such_module",))
    with pytest.raises(FailedPreconditionError) as caught:
        require("export --tensorrt-rtx", "export", "tensorrt-rtx")
    assert ".[export,tensorrt-rtx]' (90 MB; whoever installs it accepts NVIDIA's own licence)" in caught.value.message
    with pytest.raises(FailedPreconditionError) as caught:
        require("export", "export")
    assert "licence" not in caught.value.message


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "all"],
        ["serve", "gateway"],
        ["demo"],
        ["export"],
        ["keys", "list"],
        ["keys", "create"],
        ["analyzers", "install", "people"],
        ["analyzers", "list"],
        ["tenants", "list"],
    ],
    ids=" ".join,
)
def test_a_plain_installation_gets_no_traceback(arguments: list[str]) -> None:
    done = run_plain(arguments)
    assert done.returncode == 4, done.stderr
    assert done.stderr.startswith(f"error EXTRA_MISSING: `headshots {' '.join(arguments)}` needs")
    assert "Traceback" not in done.stderr
