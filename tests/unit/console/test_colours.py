"""Verdicts have colours on a terminal, and stand there in words too."""

from __future__ import annotations

import pytest
from click import unstyle

from headshots.console.output import note, print_fields, print_table
from headshots.console.terminal.colours import colour_of, coloured, styled

GREEN, RED, YELLOW = "\x1b[32m", "\x1b[31m", "\x1b[33m"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is printed while the process is on a terminal of 80 columns."""
    lines: list[str] = []
    monkeypatch.setattr("typer.echo", lambda text="", err=False: lines.extend(str(text).split("\n")))
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return lines


def test_words_of_verdicts_have_colours() -> None:
    assert [colour_of(word) for word in ("accepted", "SUCCEEDED", "MET", "passed")] == ["green"] * 4
    assert [colour_of(word) for word in ("refused", "FAILED", "NOT_MET", "not passed")] == ["red"] * 4
    assert [colour_of(word) for word in ("not measured", "NOT_MEASURED", "not judged")] == ["yellow"] * 3
    assert colour_of("RUNNING") == colour_of("") == ""


def test_a_verdict_is_coloured_and_told(written: list[str]) -> None:
    columns = ("IMAGE", "VERDICT", "WHY NOT")
    print_table(columns, [("a", "accepted", ""), ("b", "refused", "failed"), ("failed", "not measured", "")])
    assert f"{GREEN}accepted" in written[1]
    assert f"{RED}refused" in written[2]
    assert f"{YELLOW}not measured" in written[3]
    assert [line.count("\x1b[3") for line in written[1:]] == [1, 1, 1], "other columns tell nothing of an end"
    assert unstyle(written[2]).split() == ["b", "refused", "failed"]
    print_fields({"state": "SUCCEEDED", "name": "Refused"})
    assert written[-2] == f"state  {GREEN}SUCCEEDED\x1b[0m"
    assert written[-1] == "name   Refused"


def test_colours_shift_no_column(written: list[str]) -> None:
    rows = [("a", "accepted", "x"), ("b", "not measured, as nothing is there", "y")]
    print_table(("IMAGE", "VERDICT", "WHY NOT"), rows)
    lines = [unstyle(line) for line in written]
    assert len({line.index(word) for line, word in zip(lines, ("WHY", "x", "y"), strict=True)}) == 1


def test_no_color_is_respected(written: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(("IMAGE", "VERDICT"), [("a", "refused")])
    print_fields({"state": "FAILED"})
    note("nothing")
    assert "\x1b" not in "".join(written)
    assert not coloured()


def test_a_pipe_gets_no_colours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert styled("refused", "red") == "refused"
    print_table(("IMAGE", "VERDICT"), [("a", "refused")])
    assert "\x1b" not in capsys.readouterr().out
