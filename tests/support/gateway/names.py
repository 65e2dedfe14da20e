"""Derives from the contract every field that names a resource, and the names that a caller must not reach with it.

Nothing here lists calls: a call that is added to the contract gets its rows by itself, and one whose names cannot be
built fails the tests until `Names` knows how.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from headshots.v1 import photos_pb2
from tests.support.consents import MESSAGE
from tests.support.contract import CALLS, constraint, is_map
from tests.support.gateway.caller import selfie
from tests.support.retention import IN_A_YEAR

# Text of the caller's own, which names nothing.
FREE_TEXT = {
    "display_name",
    "external_id",
    "class_noun",
    "filename",
    "request_id",
    "page_token",
    "style_id",
    "profile_id",
    "pack_id",
    "look_id",
    "description",
    "outfit",
    "backdrop",
    "lighting",
    "framing",
    "expression",
    "prompt",
    "negative_prompt",
    "statement_text",
    "statement_uri",
    "statement_sha256",
    "statement_version",
    "reference",
    "reason",
    "subject_commitment",
    "rights_owner",
    "usage_terms",
    "licence",
    # Words, or the name of a style: `test_changes.py` holds it to the tenant's own.
    "to",
}
# What a call cannot do without, beside names.
REQUIRED: dict[str, dict[str, Any]] = {
    "CreateStyle": {"style_id": "new", "recipe": {"prompt": "{subject}"}},
    "CreateShoot": {"count": 1},
    "CreateProfile": {"profile_id": "new"},
    "GiveConsent": {"consent": MESSAGE},
    "ExtendRetention": {"expire_time": IN_A_YEAR},
    "HoldSubject": {"reason": "a dispute"},
    "UpdateTenant": {"update_mask": {"paths": ["retention_seconds"]}},
    "CreatePack": {"pack_id": "new", "styles": [{"shots": 1}]},
    "CreateLook": {"look_id": "new", "frame": {"width_px": 64, "height_px": 64}},
    "UpdatePack": {"styles": {"styles": [{"shots": 1}]}},
}
# Fields that exclude another one of the same call, which is named instead.
ALTERNATIVES = {"CreateShoot.pack": "CreateShoot.styles"}
# Names of what the installation has, the same for every tenant.
SHARED = {"foundations"}
_COLLECTION = re.compile(r"([a-z]+)/")


@dataclass(frozen=True)
class NameField:
    """A field that names a resource; `collections` are those of its pattern, as ("subjects", "galleries")."""

    call: MethodDescriptor
    path: tuple[FieldDescriptor, ...]
    collections: tuple[str, ...]

    @property
    def is_shared(self) -> bool:
        """Whether every tenant may name it."""
        return self.collections[0] in SHARED

    def __str__(self) -> str:
        return ".".join((self.call.name, *(part.name for part in self.path)))


@dataclass(frozen=True)
class Names:
    """The ids of one subject and of what it has, by collection; `more` has further ids, for repeated fields."""

    ids: dict[str, str]
    more: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def name(self, collections: tuple[str, ...], *, below: Names | None = None, level: int = 0) -> str:
        """The name of this subject's resource; `below` gives the first `level` ids instead."""
        owners = [below if below is not None and at < level else self for at in range(len(collections))]
        return "/".join(
            f"{collection}/{owner.ids[collection]}" for collection, owner in zip(collections, owners, strict=True)
        )

    def further(self, collections: tuple[str, ...]) -> list[str]:
        """The names of this subject's further resources."""
        return [
            dataclasses.replace(self, ids={**self.ids, collections[-1]: other}).name(collections)
            for other in self.more.get(collections[-1], ())
        ]


def text_fields(message: Descriptor, path: tuple[FieldDescriptor, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """The path to every string that a caller sends within `message`."""
    for part in message.fields:
        if part.type == FieldDescriptor.TYPE_STRING:
            yield (*path, part)
        # A map's texts are free: labels.
        elif is_map(part):
            continue
        elif part.message_type is not None and part.message_type.file.package == "headshots.v1":
            yield from text_fields(part.message_type, (*path, part))


def collections_of(part: FieldDescriptor) -> tuple[str, ...]:
    """The collections in a field's pattern; empty where it names nothing."""
    rules = constraint(part)
    pattern = rules.repeated.items.string.pattern if part.is_repeated else rules.string.pattern
    return tuple(_COLLECTION.findall(pattern)) if part.name not in FREE_TEXT else ()


def name_fields(call: MethodDescriptor) -> list[NameField]:
    """The fields of a call that name resources."""
    found = ((path, collections_of(path[-1])) for path in text_fields(call.input_type))
    return [NameField(call, path, collections) for path, collections in found if collections]


NAME_FIELDS = [field for call in CALLS for field in name_fields(call)]


def requests(call: MethodDescriptor, own: Names, changed: NameField | None = None, name: str = "") -> list[Any]:
    """The messages of a call with its caller's own names; the field `changed` has `name` instead.

    A repeated field has all further names of the caller too, of repeated messages the first one has the name. A client
    stream sends its header, then a photo.
    """
    message = GetMessageClass(call.input_type)(**REQUIRED.get(call.name, {}))
    for named in name_fields(call):
        if str(named) == ALTERNATIVES.get(str(changed)) or (str(named) in ALTERNATIVES and named != changed):
            continue
        *outer, last = named.path
        holder = message
        for step in outer:
            holder = getattr(holder, step.name)
            holder = holder[0] if step.is_repeated else holder
        value = name if named == changed else own.name(named.collections)
        if last.is_repeated:
            getattr(holder, last.name).extend([*own.further(named.collections), value])
        else:
            setattr(holder, last.name, value)
    if call.name == "VerifyImage":
        # Its header is the start of its file.
        body = selfie(77)
        message.image.size_bytes = len(body)
        return [message, type(message)(chunk=body)]
    return [message, *_photo(message)] if call.client_streaming else [message]


def _photo(header: Any) -> list[Any]:
    """A photo in the messages of the header's own stream."""
    body, cls = selfie(77), type(header)
    start = {
        photos_pb2.UploadPhotosRequest: photos_pb2.PhotoStart,
        photos_pb2.InspectPhotosRequest: photos_pb2.CandidatePhoto,
    }[cls]
    return [cls(photo=start(filename="77.jpg", size_bytes=len(body))), cls(chunk=body)]
