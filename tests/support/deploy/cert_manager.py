"""JSON schemas of cert-manager's resources, as far as the manifests use them (https://cert-manager.io/docs/reference/)."""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_DURATION: dict[str, Any] = {"type": "string", "pattern": "^[0-9]+h$"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def _resource(spec: dict[str, Any]) -> dict[str, Any]:
    metadata = _object(["name", "namespace"], name=_TEXT, namespace=_TEXT, labels={"type": "object"})
    return _object(
        ["apiVersion", "kind", "metadata", "spec"], apiVersion=_TEXT, kind=_TEXT, metadata=metadata, spec=spec
    )


CERT_MANAGER: dict[str, dict[str, Any]] = {
    "Issuer": _resource(_object([], selfSigned={"type": "object"}, ca=_object(["secretName"], secretName=_TEXT))),
    "Certificate": _resource(
        _object(
            ["secretName", "issuerRef"],
            secretName=_TEXT,
            isCA={"type": "boolean"},
            commonName={"type": "string", "maxLength": 64},
            duration=_DURATION,
            renewBefore=_DURATION,
            privateKey=_object(
                [],
                algorithm={"enum": ["RSA", "ECDSA", "Ed25519"]},
                size={"type": "integer"},
                rotationPolicy={"enum": ["Never", "Always"]},
            ),
            usages={"type": "array", "items": {"enum": ["digital signature", "server auth", "client auth"]}},
            dnsNames={"type": "array", "items": _TEXT},
            issuerRef=_object(["name"], name=_TEXT, kind={"enum": ["Issuer", "ClusterIssuer"]}, group=_TEXT),
        )
    ),
}
