"""Values are printed as people write them."""

from __future__ import annotations

import pytest
from click import unstyle

from headshots.console.exits import ExitCode, print_error
from headshots.console.output import duration, note, print_fields, print_table, say
from headshots.errors import FailedPreconditionError, FieldViolation
from tests.support.terminal import columns


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (3659, "1 h 1 min"), (7199.9, "2 h")],
)
def test_durations_are_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_row_whose_values_have_lines_of_their_own_is_not_torn_by_an_empty_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in columns(40).items():
        monkeypatch.setenv(name, value)
    names = [f"erasures/{digit * 32}" for digit in "12"]
    print_table(("ERASURE", "NUMBER", "STATE"), [(names[0], "", "PENDING"), (names[1], 1, "COMPLETE")])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["ERASURE"], ["NUMBER", "STATE"], [names[0]], ["PENDING"], [names[1]], ["1", "COMPLETE"]]
    for name, value in columns(16).items():
        monkeypatch.setenv(name, value)
    print_table(("ERASURE", "NUMBER", "STATE"), [(names[0], "", "PENDING"), (names[1], 1, "COMPLETE")])
    rows = [block.split() for block in capsys.readouterr().out.split("\n\n")]
    assert rows == [
        ["ERASURE", names[0], "NUMBER", "STATE", "PENDING"],
        ["ERASURE", names[1], "NUMBER", "1", "STATE", "COMPLETE"],
    ]


DIGEST, FILE = "0123456789abcdef" * 4, "/srv/headshots/" + "portraits/" * 6 + "ada.json"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_what_is_told_wraps_to_the_terminal_and_cuts_no_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    for name, value in columns(width).items():
        monkeypatch.setenv(name, value)
    violations = [FieldViolation("deadline", "must be some hours from now, when all before it is done " * 2)]
    message = f"{FILE} is not the receipt that it is named after, which has the digest {DIGEST} and is another's"
    error = FailedPreconditionError("TRAINING_ACTIVE", message, violations=violations)
    print_error(error, ExitCode.REFUSED, as_json=False)
    note(f"kept until then: {message}")
    print_fields({"signed by": DIGEST, "a name of twenty one": DIGEST, "usage terms": message})
    told = capsys.readouterr()
    lines = unstyle(told.err + told.out).splitlines()
    assert [line for line in lines if len(line) > width and line.strip() not in (FILE, DIGEST)] == []
    words = " ".join(lines).split()
    assert (words.count(FILE), words.count(DIGEST)) == (3, 5)
    assert words[:2] == ["error", "TRAINING_ACTIVE:"]
    assert "TRAINING_ACTIVE" not in lines[1]


def test_the_first_word_of_an_error_alone_has_its_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("typer.echo", lambda text, err: print(text))
    for name, value in columns(80).items():
        monkeypatch.setenv(name, value)
    print_error(FailedPreconditionError("X", "no"), ExitCode.REFUSED, as_json=False)
    head, rest = capsys.readouterr().out.splitlines()[0].split(" ", 1)
    assert (unstyle(head), head != "error", rest) == ("error", True, "X: no")


def test_what_is_told_into_a_pipe_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    message = f"{FILE} is not the receipt that it is named after, which has the digest {DIGEST}"
    print_error(FailedPreconditionError("X", message), ExitCode.REFUSED, as_json=False)
    note(message)
    print_fields({"usage terms": message})
    told = capsys.readouterr()
    assert told.err.splitlines() == [f"error X: {message}", message]
    assert told.out.splitlines() == [f"usage terms  {message}"]


def test_forced_colours_bend_no_line_of_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in runners of tests, which set FORCE_COLOR for everybody."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    message = f"{FILE} is not the receipt that it is named after, which has the digest {DIGEST}"
    say(message)
    print_fields({"usage terms": message})
    print_table(("ERASURE", "SAID"), [(DIGEST, message)])
    lines = unstyle(capsys.readouterr().out).splitlines()
    assert [line.split()[-1] for line in lines] == [DIGEST, DIGEST, "SAID", DIGEST]
