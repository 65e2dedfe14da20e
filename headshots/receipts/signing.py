"""Signs receipts: the Ed25519 key of an installation, a PEM file that all its gateways read when they start."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from headshots.errors import InvalidArgumentError
from headshots.receipts.canonical import canonical
from headshots.settings import make_private

_LOG = logging.getLogger(__name__)


class ReceiptKey:
    """The key that receipts are signed with; its public half is told to everybody."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.id = key_id(private.public_key())
        """16 hex digits of the public key's SHA-256."""
        self.public_pem = pem_of(private.public_key())
        """The public key, PEM."""

    @classmethod
    def open(cls, file: Path) -> ReceiptKey:
        """Reads the key; where there is no file a new one is left there, for its owner only.

        Raises:
            InvalidArgumentError: RECEIPT_KEY_INVALID, naming the file and the cure.
        """
        _make(file)
        try:
            private = load_pem_private_key(file.read_bytes(), password=None)
        except OSError as error:
            raise _invalid(file, f"cannot be read: {error.strerror}") from error
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            raise _invalid(file, "is no private key in PEM, or is protected by a password") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise _invalid(file, "holds a key of another kind than Ed25519")
        return cls(private)

    def signed(self, document: dict[str, Any]) -> bytes:
        """The canonical form of a receipt with the key's id and the signature of all that it says beside it."""
        named = {**document, "key": self.id}
        signature = base64.b64encode(self._private.sign(canonical(named))).decode("ascii")
        return canonical({**named, "signature": signature})


def key_id(public: Ed25519PublicKey) -> str:
    """What receipts call the key: 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def pem_of(public: Ed25519PublicKey) -> str:
    """A public key in PEM."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _make(file: Path) -> None:
    """Makes the file unless it is there. Of gateways that start at once one makes it, and all read the same."""
    if file.exists():
        return
    private = Ed25519PrivateKey.generate()
    fresh = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        make_private(file.parent)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        # Whole or not at all, and never in place of another gateway's.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
            _LOG.info("made %s, the key that receipts of erasures are signed with", file)
    except OSError as error:
        raise _invalid(file, f"cannot be made: {error.strerror}") from error
    finally:
        # Whatever kept it from being made has been told.
        with contextlib.suppress(OSError):
            fresh.unlink()


def _invalid(file: Path, what: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "RECEIPT_KEY_INVALID",
        f"{file} {what}; it holds the key that receipts of erasures are signed with (HEADSHOTS_GATEWAY_RECEIPT_KEY): "
        "write the output of `openssl genpkey -algorithm ed25519` into it, the same for every gateway",
    )
