"""Signs image files with a C2PA manifest, and reads the manifests of others."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from dataclasses import replace
from typing import Any

import c2pa
from PIL import Image

from headshots.errors import FailedPreconditionError, UnavailableError
from headshots.imaging.files.formats import sniff
from headshots.marking.boxes import check_store
from headshots.marking.containers import manifest_store
from headshots.marking.credentials import Credentials, invalid
from headshots.marking.description import Description
from headshots.marking.rights import Rights
from headshots.marking.verification import Signature, SignatureState
from headshots.marking.xmp import NAMESPACES

OWN_ASSERTION = "dev.headshots.image"
_PARENT = "xmp:iid:parent"
_NOT_ALLOWED = ("cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining")
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WebP": "image/webp", "HEIC": "image/heic"}
_SETTINGS: dict[str, Any] = {
    # It costs 100 ms and 180 kB, and shows again what the image shows.
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
}


class Signer:
    """Signs files. May be used from several threads at once."""

    def __init__(self, credentials: Credentials, timestamp_url: str = "") -> None:
        """Take credentials, and sign something with them.

        Raises:
            InvalidArgumentError: C2PA_CERTIFICATE_INVALID, with what the library has against them.
        """
        self._credentials = credentials
        self._timestamp_url = timestamp_url
        self._context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
        self._try()

    def sign(self, data: bytes, media_type: str, description: Description, parent: bytes | None = None) -> bytes:
        """The PNG, JPEG or WebP file ``data`` with a signed manifest in it.

        The manifest says how the image was made, that nobody may train on it, and its own facts (engine, watermark).
        ``parent``: the file that it was painted over. Signatures have random parts: no two are equal.

        Raises:
            UnavailableError: C2PA_SIGNING_FAILED: the time-stamp authority did not answer, as a rule.
            FailedPreconditionError: SOURCE_UNSIGNABLE: the parent's file cannot be referred to.
        """
        try:
            return self._sign(data, media_type, description, parent, self._timestamp_url)
        except c2pa.C2paError as error:
            raise UnavailableError(
                "C2PA_SIGNING_FAILED", f"the image could not be signed; is the time-stamp authority there? ({error})"
            ) from error

    def _sign(
        self, data: bytes, media_type: str, description: Description, parent: bytes | None, timestamp_url: str
    ) -> bytes:
        info = c2pa.C2paSignerInfo(
            self._credentials.algorithm, self._credentials.chain, self._credentials.key, timestamp_url or None
        )
        definition = json.dumps(_definition(data, media_type, description, has_parent=parent is not None))
        signed = io.BytesIO()
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder.from_json(definition, self._context) as builder:
            if parent is not None:
                ingredient = json.dumps({"title": "source", "relationship": "parentOf", "instance_id": _PARENT})
                _refer(builder, ingredient, parent)
            builder.sign(signer, media_type, io.BytesIO(data), signed)
        return signed.getvalue()

    def _try(self) -> None:
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, "PNG")
        description = Description("headshots", "0", "", "", False, b"", Rights())
        try:
            signed = self._sign(file.getvalue(), "image/png", description, None, "")
        except c2pa.C2paError as error:
            raise invalid(f"the certificate cannot sign: {error}") from error
        found = read_manifest(signed, "image/png")
        if found.state is not SignatureState.UNTRUSTED:
            raise invalid(f"what the certificate signs is refused: {', '.join(found.failures)}")


def read_manifest(data: bytes, media_type: str, trusted: str = "") -> Signature:
    """What the manifest of a file is worth; ``trusted``: PEM of the authorities that signers are trusted by."""
    settings = {**_SETTINGS, **({"trust": {"trust_anchors": trusted}} if trusted else {})}
    context = c2pa.Context(c2pa.Settings.from_dict(settings))
    try:
        with c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader:
            found = _signature(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return Signature(SignatureState.NONE)
    except c2pa.C2paError as error:
        return Signature(SignatureState.BROKEN, failures=(str(error),))
    if found.mark_id is not None and found.state is not SignatureState.BROKEN and not _is_as_written(data, media_type):
        return replace(found, state=SignatureState.BROKEN, failures=("structure.changed",))
    return found


def _is_as_written(data: bytes, media_type: str) -> bool:
    """Whether what no hash covers is as the library writes it: lengths, types and names of boxes, padding, checksums.

    Asked of files with our own assertion alone: other programs may write the same in other ways.
    """
    try:
        check_store(manifest_store(data, media_type))
    except ValueError:
        return False
    return True


def sniff_media_type(data: bytes) -> str:
    """The media type of a picture file that was decoded, by its first bytes."""
    return _MEDIA_TYPES[sniff(data) or ""]


def _refer(builder: c2pa.Builder, ingredient: str, parent: bytes) -> None:
    try:
        builder.add_ingredient(ingredient, sniff_media_type(parent), io.BytesIO(parent))
    except c2pa.C2paError as error:
        raise FailedPreconditionError(
            "SOURCE_UNSIGNABLE", f"the signature cannot refer to the source's file ({error}); save it anew as PNG"
        ) from error


def _definition(data: bytes, media_type: str, description: Description, *, has_parent: bool) -> dict[str, Any]:
    name = uuid.UUID(bytes=hashlib.sha256(data).digest()[:16], version=4)
    actions: list[dict[str, Any]]
    if has_parent:
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [_PARENT]}}
        actions = [opened, {"action": "c2pa.edited", "digitalSourceType": description.source_type}]
    else:
        actions = [{"action": "c2pa.created", "digitalSourceType": description.source_type}]
    own = {
        "foundation": description.foundation,
        "foundationDigest": description.foundation_digest,
        "mark": description.mark_id.hex(),
        "watermarked": description.is_watermarked,
    }
    return {
        "label": f"urn:c2pa:{name}",
        "instance_id": f"xmp:iid:{name}",
        "format": media_type,
        "claim_generator_info": [{"name": description.system, "version": description.version}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {
                "label": "cawg.training-mining",
                "data": {"entries": {use: {"use": "notAllowed"} for use in _NOT_ALLOWED}},
            },
            {"label": "cawg.metadata", "data": _metadata(description)},
            {"label": OWN_ASSERTION, "data": own},
        ],
    }


def _metadata(description: Description) -> dict[str, Any]:
    """The same rights as in the XMP packet, and the prompts where they stand there."""
    rights = description.rights
    said = {
        "xmpRights:Owner": [rights.owner],
        "xmpRights:UsageTerms": rights.usage_terms,
        "xmpRights:WebStatement": rights.licence_url,
        "plus:TermsAndConditionsText": rights.licence_text,
        "Iptc4xmpExt:AIPromptInformation": description.prompts,
    }
    return {"@context": NAMESPACES, **{name: value for name, value in said.items() if value}}


def _signature(report: dict[str, Any]) -> Signature:
    manifest = report.get("manifests", {}).get(report.get("active_manifest"), {})
    results = report.get("validation_results", {}).get("activeManifest", {})
    failures = tuple(str(failure.get("code")) for failure in results.get("failure", []))
    said = (each["data"] for each in manifest.get("assertions", []) if each["label"] == OWN_ASSERTION)
    own = next(said, None)
    # A stranger's manifest may have anything under our name.
    mark_id = str(own.get("mark", "")) if isinstance(own, dict) else None
    states = {"Trusted": SignatureState.TRUSTED, "Valid": SignatureState.UNTRUSTED}
    state = states.get(report.get("validation_state", ""), SignatureState.BROKEN)
    info = manifest.get("signature_info", {})
    signer = ", ".join(info[part] for part in ("issuer", "common_name") if info.get(part))
    return Signature(state, signer, mark_id, failures)
