"""Findings fit 80 columns, and cures stand below what was seen."""

from __future__ import annotations

import pytest

from headshots.console.checks import show, summary
from headshots.doctor.findings import Result, State


def result(state: State, seen: str, cure: str = "") -> Result:
    return Result("gateway", "log of erasures", state, seen, cure)


def test_long_lines_wrap_under_their_column(capsys: pytest.CaptureFixture[str]) -> None:
    show(result(State.FAILED, "was seen " * 20, "do this " * 20))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("  failed  log of erasures was seen")
    cure = next(number for number, line in enumerate(lines) if "->" in line)
    assert all(line.startswith(" " * 26 + "was") or line.startswith(" " * 26 + "seen") for line in lines[1:cure])
    assert lines[cure].startswith(" " * 26 + "-> do this")
    assert all(line.startswith(" " * 29) for line in lines[cure + 1 :])


def test_a_long_name_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    show(Result("gateway", "generator of pool v2", State.FAILED, "nobody answers", "start it"))
    margin = " " * 26
    assert capsys.readouterr().out.splitlines() == [
        "  failed  generator of pool v2",
        f"{margin}nobody answers",
        f"{margin}-> start it",
    ]


def test_what_is_fine_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show(result(State.OK, "fine"))
    assert capsys.readouterr().out == "  ok      log of erasures fine\n"


def test_the_summary_counts_what_there_is() -> None:
    found = [result(State.OK, ""), result(State.OK, ""), result(State.WARNING, ""), result(State.FAILED, "")]
    assert summary(found) == "2 ok, 1 warning, 1 failed"
