"""Writes and reads XMP packets: IPTC's photo metadata of 2025.1 on images that a machine made, and rights."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from headshots.marking.description import Description

# XML has no way to write them, and a tenant's prompts may have them.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
_PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMESPACES = {"Iptc4xmpExt": _IPTC, "xmpRights": _RIGHTS, "plus": _PLUS}
"""Those of what images say, by their prefix."""
_NO_TRAINING = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Metadata:
    """What a packet says; empty where it says nothing. ``licence``: a web page's address, else a text."""

    source_type: str
    system: str
    system_version: str
    owner: str
    usage_terms: str
    licence: str = ""


def write_packet(description: Description) -> bytes:
    """The packet, UTF-8; the same for the same description."""
    rights = description.rights
    properties = [
        _property("Iptc4xmpExt:DigitalSourceType", description.source_type),
        _property("Iptc4xmpExt:AISystemUsed", f"{description.system}, foundation {description.foundation}"),
        _property("Iptc4xmpExt:AISystemVersionUsed", f"{description.version}, {description.foundation_digest[:16]}"),
        "<xmpRights:Marked>True</xmpRights:Marked>",
        f"<xmpRights:Owner><rdf:Bag>{_property('rdf:li', rights.owner)}</rdf:Bag></xmpRights:Owner>",
        _default_language("xmpRights:UsageTerms", rights.usage_terms),
        _property("plus:DataMining", _NO_TRAINING),
    ]
    if rights.licence_url:
        properties.append(_property("xmpRights:WebStatement", rights.licence_url))
    if rights.licence_text:
        properties.append(_default_language("plus:TermsAndConditionsText", rights.licence_text))
    if description.prompts:
        properties.append(_property("Iptc4xmpExt:AIPromptInformation", description.prompts))
    namespaces = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in NAMESPACES.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" '
        f"{namespaces}>"
        f"{''.join(properties)}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="r"?>'
    ).encode()


def read_packet(packet: bytes) -> Metadata | None:
    """What a packet says, as an element or as an attribute; None for one that is no XMP or is made to do harm."""
    if len(packet) > _MAX_BYTES:
        return None
    try:
        text = packet.strip(b"\0").decode()
        # Without a document type there are no entities, which a few bytes of could take all memory. As text, which is
        # of one encoding whatever it says of itself: in another one it would be hidden.
        if "<!" in text:
            return None
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return None
    found = [
        _find(root, namespace, name)
        for namespace, name in (
            (_IPTC, "DigitalSourceType"),
            (_IPTC, "AISystemUsed"),
            (_IPTC, "AISystemVersionUsed"),
            (_RIGHTS, "Owner"),
            (_RIGHTS, "UsageTerms"),
        )
    ]
    found.append(_find(root, _RIGHTS, "WebStatement") or _find(root, _PLUS, "TermsAndConditionsText"))
    return Metadata(*found) if any(found) else None


def _property(name: str, value: str) -> str:
    return f"<{name}>{_written(value)}</{name}>"


def _default_language(name: str, value: str) -> str:
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{_written(value)}</rdf:li></rdf:Alt></{name}>'


def _written(text: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", text))


def _find(root: ElementTree.Element, namespace: str, name: str) -> str:
    tag = f"{{{namespace}}}{name}"
    for node in root.iter():
        if node.tag == tag:
            return "".join(node.itertext()).strip()
        if tag in node.attrib:
            return node.attrib[tag]
    return ""
