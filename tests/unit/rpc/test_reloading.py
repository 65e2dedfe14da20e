"""Files that are refused are tried again, as what was wrong may be the time."""

from __future__ import annotations

import logging
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
        loader.refusal = ""
        now[0] = 3 * RETRY_SECONDS
        assert reloaded.current() == "made ahead"
    now[0], calls = 10 * RETRY_SECONDS, loader.calls
    assert reloaded.current() == "made ahead"
    assert loader.calls == calls, "what was taken is not read again"
