"""Says in words which rule of the contract a message broke: protovalidate would quote the regular expression."""

from __future__ import annotations

import re
import reprlib
from typing import Any

_ID = "[a-z0-9-]{1,64}"
_PHOTO = "[0-9a-f]{32}"
_NUMBER = "[0-9]{1,6}"
_CLASS_NOUN = "^[a-z]{0,32}$"
_LABEL = "^[a-z][a-z0-9_-]{0,62}$"

_SHORT = reprlib.Repr()
_SHORT.maxstring = 100


def described(violation: Any) -> str:
    """What is wrong with the field of a `protovalidate.Violation`, and how it should read."""
    rule, message = violation.proto.rule_id, str(violation.proto.message)
    if rule == "string.pattern":
        return _of_pattern(_SHORT.repr(violation.field_value), str(violation.rule_value)) or message
    if rule == "repeated.unique":
        return "names something twice; name each once"
    if (fields := violation.proto.field.elements) and fields[-1].field_name.endswith("_seconds"):
        return re.sub(r"\d{4,}", _of_seconds, message)
    return message


def _of_seconds(limit: re.Match[str]) -> str:
    """A limit in whole days or hours beside its seconds."""
    seconds = int(limit[0])
    days, rest = divmod(seconds, 86400)
    if not rest:
        return f"{seconds} ({days} days)" if days > 1 else f"{seconds} (a day)"
    hours, rest = divmod(seconds, 3600)
    if not rest:
        return f"{seconds} ({hours} hours)" if hours > 1 else f"{seconds} (an hour)"
    return str(seconds)


def _of_pattern(value: str, pattern: str) -> str:
    if pattern == _CLASS_NOUN:
        return f"{value} is not one word of small letters, a to z, at most 32; as in woman, man, person"
    if pattern == _LABEL:
        return f"{value} is no key of a label: small letters, digits, _ and -, a letter first, at most 63 of them"
    if _ID not in pattern or "/" not in pattern:
        return ""
    form = pattern.strip("^$").removeprefix("(").removesuffix(")?")
    form = form.replace(_ID, "ID").replace(_PHOTO, "PHOTO").replace(_NUMBER, "NUMBER")
    photo = ", a PHOTO 32 hexadecimal digits" if "PHOTO" in form else ""
    return f"{value} is no name of the form {form}; an ID has only a-z, 0-9 and -, at most 64 of them{photo}"
