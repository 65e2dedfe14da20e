"""Writes and reads XMP packets: IPTC's photo metadata of 2025.1 on images that a machine made, and rights."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from headshots.marking.description import Description

_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
_PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NO_TRAINING = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Metadata:
    """What a packet says; empty where it says nothing."""

    source_type: str
    system: str
    system_version: str
    owner: str
    usage_terms: str


def write_packet(description: Description) -> bytes:
    """The packet, UTF-8; the same for the same description."""
    rights = description.rights
    properties = [
        _property("Iptc4xmpExt:DigitalSourceType", description.source_type),
        _property("Iptc4xmpExt:AISystemUsed", f"{description.system}, foundation {description.foundation}"),
        _property("Iptc4xmpExt:AISystemVersionUsed", f"{description.version}, {description.foundation_digest[:16]}"),
        "<xmpRights:Marked>True</xmpRights:Marked>",
        f"<xmpRights:Owner><rdf:Bag>{_property('rdf:li', rights.owner)}</rdf:Bag></xmpRights:Owner>",
        "<xmpRights:UsageTerms><rdf:Alt>"
        f'<rdf:li xml:lang="x-default">{escape(rights.usage_terms)}</rdf:li>'
        "</rdf:Alt></xmpRights:UsageTerms>",
        _property("plus:DataMining", _NO_TRAINING),
    ]
    if rights.licence_url:
        properties.append(_property("xmpRights:WebStatement", rights.licence_url))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" '
        f'xmlns:Iptc4xmpExt="{_IPTC}" xmlns:xmpRights="{_RIGHTS}" xmlns:plus="{_PLUS}">'
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
    return Metadata(*found) if any(found) else None


def _property(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>"


def _find(root: ElementTree.Element, namespace: str, name: str) -> str:
    tag = f"{{{namespace}}}{name}"
    for node in root.iter():
        if node.tag == tag:
            return "".join(node.itertext()).strip()
        if tag in node.attrib:
            return node.attrib[tag]
    return ""
