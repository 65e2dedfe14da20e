"""A client speaks TLS with a real server, and trusts the authorities that it is given or those of the machine."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from headshots.client import AsyncHeadshots, Headshots
from headshots.client.roots import system_roots
from headshots.errors import InvalidArgumentError, UnavailableError
from tests.support.certificates import Authority
from tests.support.fake_gateway.gateway import API_KEY
from tests.support.fake_gateway.pictures import painted_png
from tests.support.terminal import Terminal
from tests.support.tls_proxy import tls_proxy


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server's certificate, with that of its authority in ca.crt."""
    folder = tmp_path_factory.mktemp("tls")
    return Authority.make(folder / "authority").issue(folder / "server")


@pytest.fixture
def address(terminal: Terminal, certificates: Path) -> Iterator[str]:
    """Where a gateway speaks TLS."""
    port = int(terminal.environment["HEADSHOTS_ADDRESS"].rpartition(":")[2])
    with tls_proxy(certificates, port) as found:
        yield found


async def test_the_system_s_authorities_are_those_that_ssl_cert_file_names(
    address: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.crt"))
    async with AsyncHeadshots(address, API_KEY, root_certificates="system") as client:
        subject = await client.create_subject("Ada")
        # Photos go on a channel of their own.
        photos = await client.upload_photos(subject, [painted_png("selfie", 0)])
        assert [photo.width_px for photo in photos] == [16]
    with Headshots(address, API_KEY, root_certificates=(certificates / "ca.crt").read_bytes()) as blocking:
        assert blocking.get_subject(subject).name == subject.name


def test_an_authority_that_is_not_trusted_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Authority.make(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.folder / "ca.crt"))
    with Headshots(address, API_KEY, root_certificates="system", timeout_seconds=5) as client:
        with pytest.raises(UnavailableError):
            client.get_tenant()
        with pytest.raises(UnavailableError):
            client.inspect_photos(photos=[painted_png("selfie", 0)])


def test_the_command_line_takes_the_system_s_authorities(
    terminal: Terminal, address: str, certificates: Path, tmp_path: Path
) -> None:
    plain = terminal.environment
    terminal.environment = plain | {"HEADSHOTS_ADDRESS": address, "SSL_CERT_FILE": str(certificates / "ca.crt")}
    assert terminal.json("subjects", "create", "Ada", "--tls-ca", "system")["name"] == "subjects/s0"
    terminal.environment |= {"HEADSHOTS_TLS_CA": "system"}
    assert terminal.json("subjects", "show", "s0")["subject"]["display_name"] == "Ada"
    terminal.environment |= {"SSL_CERT_FILE": str(tmp_path / "none.pem")}
    refused = terminal.run("subjects", "list", "--json", code=4)
    assert json.loads(refused.stderr)["error"]["reason"] == "CERTIFICATES_MISSING"
    assert "none.pem" in refused.stderr
    missing = terminal.run("subjects", "list", "--tls-ca", str(tmp_path / "ca.pem"), code=2)
    assert "or `system`" in missing.stderr


def test_where_the_system_s_authorities_are_looked_for(
    certificates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = (certificates / "ca.crt").read_text()
    body = "".join(line for line in pem.splitlines() if "CERTIFICATE" not in line)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    # What this machine has is not known; whatever it is, the test's authority is not among it.
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: _paths(cafile=str(certificates / "ca.crt")))
    assert system_roots().count(b"BEGIN CERTIFICATE") == 1
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(InvalidArgumentError, match=r"CERTIFICATES_MISSING: .*none.pem"):
        # What somebody names is not replaced by what the system has.
        system_roots()
    monkeypatch.delenv("SSL_CERT_FILE")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("0a1b2c3d.0", "0a1b2c3d.1", "notes.txt"):
        (folder / name).write_text(f"# é, a comment\n{pem}")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: _paths(capath=str(folder)))
    assert system_roots().replace(b"\n", b"").count(body.encode()) == 1, "the same twice is one"
    monkeypatch.setattr(ssl, "get_default_verify_paths", _paths)
    with pytest.raises(InvalidArgumentError, match=r"CERTIFICATES_MISSING: .*ca-certificates.*SSL_CERT_FILE"):
        system_roots()
    (folder / "broken.pem").write_text(pem.replace("MII", "MIJ"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "broken.pem"))
    with pytest.raises(InvalidArgumentError, match="CERTIFICATES_INVALID"):
        system_roots()
    monkeypatch.setenv("SSL_CERT_FILE", "")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(InvalidArgumentError, match="CERTIFICATES_MISSING"):
        system_roots()


def _paths(cafile: str | None = None, capath: str | None = None) -> ssl.DefaultVerifyPaths:
    return ssl.DefaultVerifyPaths(cafile, capath, "SSL_CERT_FILE", "/none.pem", "SSL_CERT_DIR", "/none")


def test_other_words_than_system_are_no_certificates() -> None:
    with pytest.raises(InvalidArgumentError, match=r"CERTIFICATES_INVALID: .*'sytem'.*'system'"):
        Headshots("localhost:1", "key", root_certificates="sytem")  # type: ignore[arg-type]
