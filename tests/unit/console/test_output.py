"""Values are printed as people write them."""

from __future__ import annotations

import pytest

from headshots.console.output import duration, print_table


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.6, "1 min"), (125, "2 min 5 s"), (3600, "1 h"), (3659, "1 h 1 min"), (7199.9, "2 h")],
)
def test_durations_are_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_row_whose_values_have_lines_of_their_own_is_not_torn_by_an_empty_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    names = [f"erasures/{digit * 32}" for digit in "12"]
    print_table(("ERASURE", "NUMBER", "STATE"), [(names[0], "", "PENDING"), (names[1], 1, "COMPLETE")])
    rows = [block.split() for block in capsys.readouterr().out.split("\n\n")]
    assert rows == [
        ["ERASURE", names[0], "NUMBER", "STATE", "PENDING"],
        ["ERASURE", names[1], "NUMBER", "1", "STATE", "COMPLETE"],
    ]
