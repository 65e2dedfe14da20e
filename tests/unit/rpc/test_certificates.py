"""Certificates that are renewed while they are read, file by file, are read again until they fit each other."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headshots.errors import InvalidArgumentError
from headshots.rpc.internal import certificates
from headshots.rpc.internal.certificates import CertificateFiles
from tests.support.certificates import NAMES, Authority, settings_with

Renewing = Callable[[int, bool], CertificateFiles]


@pytest.fixture
def renewed_while_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Renewing:
    """Files that are replaced during so many first tries; whether these find files that do not fit."""
    authority = Authority.make(tmp_path / "ca")
    files = settings_with(authority.issue(tmp_path / "own"), tmp_path).certificate_files
    assert files is not None
    shake_hands = certificates._shake_hands

    def renewing(times: int, misfit: bool) -> CertificateFiles:
        left = iter(range(times))

        def shake(*given: Any, **named: Any) -> Any:
            found = shake_hands(*given, **named)
            if next(left, None) is not None:
                authority.issue(tmp_path / "own")
                if misfit:
                    raise ssl.SSLError("key values mismatch")
            return found

        monkeypatch.setattr(certificates, "_shake_hands", shake)
        return files

    return renewing


@pytest.mark.parametrize("misfit", [True, False], ids=["half old and half new", "all of them old"])
def test_what_lies_there_at_the_end_is_taken(renewed_while_read: Renewing, misfit: bool) -> None:
    files = renewed_while_read(1, misfit)
    found = files.load(server=True)
    assert (found.chain, found.key, found.ca) == tuple(path.read_bytes() for path in files)


def test_files_that_never_rest_are_told(renewed_while_read: Renewing) -> None:
    with pytest.raises(InvalidArgumentError, match=r"CERTIFICATE_INVALID.*changed all the time"):
        renewed_while_read(100, False).load(server=True)


def test_while_a_ca_is_replaced_the_end_is_that_of_the_one_that_lasts_longer(tmp_path: Path) -> None:
    """Peers know both; when the old one ends nothing is refused."""
    old, new = (Authority.make(tmp_path / name) for name in ("old", "new"))
    new._sign("ca", "ca", ["-signkey", str(new.folder / "ca.key")], days=9, names=NAMES)
    both = b"".join((each.folder / "ca.crt").read_bytes() for each in (old, new))
    (old.issue(tmp_path / "own") / "ca.crt").write_bytes(both)
    files = settings_with(tmp_path / "own", tmp_path).certificate_files
    assert files is not None
    for is_server in (True, False):
        assert files.load(server=is_server).ca_ends_at == pytest.approx(time.time() + 9 * 86400, abs=3600)
