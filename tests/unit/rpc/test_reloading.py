"""Files that are refused are tried again, as what was wrong may be the time."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from headshots.errors import InvalidArgumentError
from headshots.rpc.internal.reloading import RETRY_SECONDS, Reloaded


class Loader:
    """Takes what a file holds unless it is told to refuse."""

    def __init__(self, file: Path) -> None:
        self.file, self.calls, self.refusal = file, 0, ""

    def __call__(self) -> str:
        self.calls += 1
        if self.refusal:
            raise InvalidArgumentError("CERTIFICATE_INVALID", self.refusal)
        return self.file.read_text()


def test_refused_contents_are_tried_again_later_and_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    now, file = [0.0], tmp_path / "tls.crt"
    file.write_text("old")
    loader = Loader(file)
    reloaded = Reloaded("the certificates", [file], loader, clock=lambda: now[0])
    file.write_text("made ahead")
    loader.refusal = "the certificate is not yet valid"
    with caplog.at_level(logging.INFO):
        for now[0] in (0.0, RETRY_SECONDS - 1, RETRY_SECONDS, 2 * RETRY_SECONDS - 1, 2 * RETRY_SECONDS):
            assert reloaded.current() == "old"
        assert loader.calls == 1 + 3, "at the change, and every RETRY_SECONDS"
        assert ["not yet valid" in record.message for record in caplog.records] == [True]
        loader.refusal, now[0] = "the disk failed", 2.5 * RETRY_SECONDS + 15
        assert reloaded.current() == "old"
        assert ["the disk failed" in record.message for record in caplog.records] == [False, True], "another reason"
        loader.refusal = ""
        now[0] = 4 * RETRY_SECONDS
        assert reloaded.current() == "made ahead"
    now[0], calls = 10 * RETRY_SECONDS, loader.calls
    assert reloaded.current() == "made ahead"
    assert loader.calls == calls, "what was taken is not read again"


def test_a_file_of_the_same_size_and_time_in_its_place_is_another(tmp_path: Path) -> None:
    """As one that is copied with its times, or from an archive."""
    file, fresh = tmp_path / "tls.crt", tmp_path / "fresh"
    for path, text in ((file, "old"), (fresh, "new")):
        path.write_text(text)
        os.utime(path, ns=(0, 0))
    reloaded = Reloaded("the certificates", [file], Loader(file))
    fresh.replace(file)
    assert reloaded.current() == "new"
