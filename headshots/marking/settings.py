"""The settings of what images say of themselves: ``HEADSHOTS_MARKING_<FIELD>``. Off is the operator's to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headshots.errors import InvalidArgumentError
from headshots.marking.authority import CERTIFICATE, own_authority
from headshots.marking.credentials import load_credentials
from headshots.marking.manifest import Signer
from headshots.marking.rights import (
    MAX_OWNER_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    OWNER,
    USAGE_TERMS,
    Rights,
    fault_of,
)
from headshots.settings import Home, read_settings

_PREFIX = "HEADSHOTS_MARKING_"


@dataclass(frozen=True)
class MarkingSettings:
    """Everything that can be set."""

    authority_dir: Path
    """Where the certificate of this installation's own authority lies, made at the first start that needs it. Default:
    `marking` in HEADSHOTS_HOME."""
    watermark: bool = True
    """Whether images are named by a mark, which those of 192 px and more carry as an invisible watermark."""
    metadata: bool = True
    """Whether images carry IPTC's metadata and rights as XMP."""
    c2pa: bool = True
    """Whether images carry a signed C2PA manifest."""
    c2pa_certificate: Path | None = None
    """PEM file of the certificate that signs, with those that lead to its CA. Unset: the own authority's."""
    c2pa_key: Path | None = None
    """PEM file of the certificate's key, without a password."""
    c2pa_timestamp_url: str | None = None
    """RFC 3161 time-stamp authority that is asked for every image. Unset: none, and signatures are valid for as long as
    the certificate is."""
    owner: str = OWNER
    """Who owns the images, where their tenant says nothing else; at most 256 characters."""
    usage_terms: str = USAGE_TERMS
    """What may be done with them, where their tenant says nothing else; at most 1024 characters."""
    licence: str | None = None
    """Their licence, a web page's address or a text of at most 1024 characters, where their tenant says nothing else.
    Unset: none."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> MarkingSettings:
        """Read the environment.

        Raises:
            InvalidArgumentError: SETTING_INVALID; SETTING_MISSING: a certificate without its key or the other way
                round.
        """
        folder = Home.from_environment(environ).marking
        settings = read_settings(cls, _PREFIX, environ, authority_dir=folder)
        if (settings.c2pa_certificate is None) != (settings.c2pa_key is None):
            unset = "C2PA_KEY" if settings.c2pa_key is None else "C2PA_CERTIFICATE"
            raise InvalidArgumentError(
                "SETTING_MISSING", f"set {_PREFIX}{unset} too: a certificate and its key sign together"
            )
        settings._check_rights()
        return settings

    @property
    def rights(self) -> Rights:
        """What images say of rights whose tenant says nothing."""
        return Rights(self.owner, self.usage_terms, self.licence or "")

    @property
    def certificate(self) -> Path:
        """PEM file of the certificate that signs: the one that is set, or that of the own authority."""
        return self.c2pa_certificate or self.authority_dir / CERTIFICATE

    def _check_rights(self) -> None:
        faults = {
            "OWNER": fault_of(self.owner, MAX_OWNER_CHARACTERS),
            "USAGE_TERMS": fault_of(self.usage_terms, MAX_TEXT_CHARACTERS),
            "LICENCE": fault_of(self.licence or "", MAX_TEXT_CHARACTERS, may_be_empty=True),
        }
        for name, fault in faults.items():
            if fault:
                raise InvalidArgumentError("SETTING_INVALID", f"{_PREFIX}{name}: {fault}")

    def open_signer(self) -> Signer | None:
        """What signs; None where nothing is to be signed.

        Raises:
            InvalidArgumentError: C2PA_CERTIFICATE_INVALID, C2PA_AUTHORITY_UNWRITABLE.
        """
        if not self.c2pa:
            return None
        if self.c2pa_certificate is None or self.c2pa_key is None:
            certificate, key = own_authority(self.authority_dir)
        else:
            certificate, key = self.certificate, self.c2pa_key
        return Signer(load_credentials(certificate, key), self.c2pa_timestamp_url or "")
