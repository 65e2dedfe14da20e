"""A certificate that cannot sign is refused before an image is painted, with the reason."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from headshots.errors import InvalidArgumentError
from headshots.marking.authority import AUTHORITY, own_authority
from headshots.marking.credentials import load_credentials
from headshots.marking.manifest import Signer
from headshots.marking.settings import MarkingSettings
from tests.support.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "authority")


def open_signer(certificate: Path, key: Path) -> Signer | None:
    return MarkingSettings(Path("/nowhere"), c2pa_certificate=certificate, c2pa_key=key).open_signer()


def refusal(certificate: Path, key: Path) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        open_signer(certificate, key)
    assert caught.value.reason == "C2PA_CERTIFICATE_INVALID"
    assert "HEADSHOTS_MARKING_C2PA_CERTIFICATE" in caught.value.message
    return caught.value.message


def test_a_mounted_certificate_signs(authority: Authority, tmp_path: Path) -> None:
    made = authority.issue(tmp_path / "good", kind="content")
    assert open_signer(made / "tls.crt", made / "tls.key") is not None


def test_an_expired_one_is_refused(authority: Authority, tmp_path: Path) -> None:
    made = authority.issue(tmp_path / "old", kind="content", days=-1)
    assert "expired on" in refusal(made / "tls.crt", made / "tls.key")


def test_one_that_its_key_does_not_fit_is_refused(authority: Authority, tmp_path: Path) -> None:
    one, other = (authority.issue(tmp_path / name, kind="content") for name in ("one", "other"))
    assert "is not the key of" in refusal(one / "tls.crt", other / "tls.key")


def test_one_for_another_purpose_is_refused(authority: Authority, tmp_path: Path) -> None:
    made = authority.issue(tmp_path / "server", kind="server")
    assert "cannot sign" in refusal(made / "tls.crt", made / "tls.key")


@pytest.mark.parametrize("content", [None, b"", b"nothing", b"-----BEGIN CERTIFICATE-----\n"])
def test_files_that_hold_none_are_refused(authority: Authority, tmp_path: Path, content: bytes | None) -> None:
    made, file = authority.issue(tmp_path / "good", kind="content"), tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    refusal(file, made / "tls.key")
    refusal(made / "tls.crt", file)


def test_half_of_the_pair_is_refused(tmp_path: Path) -> None:
    for half, other in (("CERTIFICATE", "KEY"), ("KEY", "CERTIFICATE")):
        with pytest.raises(InvalidArgumentError, match=f"HEADSHOTS_MARKING_C2PA_{other}") as caught:
            MarkingSettings.from_environment({f"HEADSHOTS_MARKING_C2PA_{half}": str(tmp_path / "file")})
        assert caught.value.reason == "SETTING_MISSING"


def test_an_installation_makes_its_authority_once_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "marking"
    first = load_credentials(*own_authority(folder))
    assert load_credentials(*own_authority(folder)) == first
    assert {path.name for path in folder.parent.iterdir()} == {"marking"}
    certificate, key = own_authority(folder)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert certificate.read_bytes().endswith((folder / AUTHORITY).read_bytes())
    shutil.rmtree(folder)
    assert load_credentials(*own_authority(folder)) != first


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgumentError) as caught:
        own_authority(tmp_path / "file" / "marking")
    assert caught.value.reason == "C2PA_AUTHORITY_UNWRITABLE"
