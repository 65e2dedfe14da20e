"""The key that receipts are signed with: made once, for its owner only, and refused where it is none."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from headshots.errors import InvalidArgumentError
from headshots.receipts import signing
from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import read_public_keys


def pem(
    key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_the_first_start_makes_one_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / "receipt-key.pem"
    made = ReceiptKey.open(file)
    assert ReceiptKey.open(file).id == made.id
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_gateways_that_start_at_once_have_the_same(tmp_path: Path) -> None:
    found, ready = list[str](), threading.Barrier(8)

    def start() -> None:
        ready.wait()
        found.append(ReceiptKey.open(tmp_path / "key.pem").id)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found))) == (8, 1)


def test_one_that_another_gateway_made_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, others = tmp_path / "key.pem", list[ReceiptKey]()

    def another_is_quicker(_folder: Path) -> None:
        if not others:
            others.append(ReceiptKey(Ed25519PrivateKey.generate()))
            others.append(ReceiptKey.open(file))

    monkeypatch.setattr(signing, "make_private", another_is_quicker)
    assert ReceiptKey.open(file).id == others[-1].id == ReceiptKey.open(file).id


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no private key"),
        (b"\xff" * 40, "no private key"),
        (ReceiptKey(Ed25519PrivateKey.generate()).public_pem.encode(), "no private key"),
        (pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x")), "password"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "another kind"),
    ],
    ids=["empty", "noise", "public", "protected", "elliptic"],
)
def test_a_file_that_holds_no_such_key_is_refused_and_kept(content: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(content)
    with pytest.raises(InvalidArgumentError, match=told) as caught:
        ReceiptKey.open(file)
    assert caught.value.reason == "RECEIPT_KEY_INVALID"
    assert "openssl genpkey" in caught.value.message
    assert file.read_bytes() == content


def test_a_file_that_cannot_be_made_or_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for file in (tmp_path / "file" / "key.pem", tmp_path):
        with pytest.raises(InvalidArgumentError, match="cannot be"):
            ReceiptKey.open(file)


def test_public_keys_are_read_one_or_several() -> None:
    keys = [ReceiptKey(Ed25519PrivateKey.generate()) for _ in range(2)]
    assert len(read_public_keys("\n".join(key.public_pem for key in keys).encode())) == 2
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    wrong = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for data in (b"", b"a key", wrong, pem(Ed25519PrivateKey.generate())):
        with pytest.raises(ValueError, match=r"no public key|another kind"):
            read_public_keys(data)
