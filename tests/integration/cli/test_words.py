"""No command cuts a word on a terminal of 60, 80 or 120 columns: in its output, its help and its errors."""

from __future__ import annotations

from pathlib import Path

from tests.support.words.counting import WIDTHS, count, missing
from tests.support.words.screens import Shown, cut_words


def test_no_command_cuts_a_word_at_any_width(tmp_path: Path) -> None:
    assert missing() == [], "tests/support/words/cases.py tells what is typed of each command"
    cut = count(tmp_path)
    assert cut.wrong_codes == []
    assert cut.words == {width: [] for width in WIDTHS}


def test_what_counts_as_cut() -> None:
    wide = Shown(4000, 0, "SUBJECT subjects/4b1f8c02 is kept until 2026-11-29 22:53:33, 150/150 steps 東京都 千代田区")

    def cut(text: str, columns: int = 30) -> list[str]:
        return cut_words(Shown(columns, 0, text), wide)

    words = (
        wide.text.replace("is kept", "is\nkept")
        .replace("2026", "\n2026")
        .replace(" 150", "\n150")
        .replace(" 東", "\n東")
    )
    assert cut(words) == []
    assert cut(words.replace("22:53:33", "19:01:02")) == [], "the clock went on"
    assert "subjects/" in cut(words.replace("subjects/4b1f8c02", "subjects/\n4b1f8c02"))
    assert "150/1…" in cut(words.replace("150/150", "150/1…"))
    assert "3," in cut(words.replace("22:53:33", "22:53:3\n3"))
    assert cut(words.replace("\n東", " 東"), columns=28)[0].endswith("東京都 千代田区"), (
        "Chinese words are as wide as they are shown"
    )
    assert cut(words, columns=10) != [], "the terminal cuts lines that are too wide"
    assert cut_words(Shown(10, 0, "a/very/long/path"), Shown(4000, 0, "a/very/long/path")) == []
