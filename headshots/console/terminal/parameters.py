"""Names fields of the contract in the words of the command that is running: `frame.eye_line` is `--eye-line`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headshots.errors import FieldViolation, HeadshotsError

# Parameters of commands that are not called as the last part of the field is. A resource's own name comes first.
_CALLED: Mapping[str, Sequence[str]] = {
    "width_px": ("width", "size"),
    "height_px": ("height", "size"),
    "seed_policy": ("seeds",),
    "guidance_scale": ("guidance",),
    "display_name": ("name",),
    "shots_per_style": ("shots",),
    "style_shots": ("shots", "style"),
    "change": ("backdrop", "outfit", "light"),
    "to": ("backdrop", "outfit", "light"),
}
# A request's `name` is the resource, and `--name` what people call it.
_OF_RESOURCES = ("name", "parent")
_PART = re.compile(r"(\w+)(?:\[(.*)\])?")


@dataclass(frozen=True)
class Parameter:
    """What a command takes: `shown` is its option or its argument, `value` what was given."""

    shown: str
    value: object


_RUNNING: ContextVar[Mapping[str, Parameter] | None] = ContextVar("parameters of the running command", default=None)


@contextlib.contextmanager
def running(declared: Sequence[Any], given: Mapping[str, object]) -> Iterator[None]:
    """Errors in this block are told in the words of these parameters of a command; `given`: their values by name."""
    token = _RUNNING.set({each.name: Parameter(_shown(each), given.get(each.name)) for each in declared})
    try:
        yield
    finally:
        _RUNNING.reset(token)


def options() -> Mapping[str, Parameter]:
    """The options of the running command, by the names of its parameters; empty where none runs."""
    return {name: each for name, each in (_RUNNING.get() or {}).items() if each.shown.startswith("-")}


def _shown(declared: Any) -> str:
    """`--eye-line`, or an argument as the help calls it."""
    long = [name for name in declared.opts if name.startswith("--")]
    return long[0] if long else str(declared.metavar or declared.name.upper()).rstrip(".")


def in_words(error: HeadshotsError) -> tuple[str, tuple[FieldViolation, ...]]:
    """The message and the violations of an error, with what was typed in place of the fields that were sent."""
    from headshots.errors import FieldViolation

    told = {each.field: typed(each.field) for each in error.violations}
    changed = {field: shown for field, shown in told.items() if shown != field}
    violations = tuple(
        FieldViolation(told[each.field], _retold(each.description, changed)) for each in error.violations
    )
    return _retold(error.message, changed), violations


def typed(field: str) -> str:
    """The option or the argument that a field was made of; the field itself where the command has none for it.

    Of several values of one parameter the number is told: `styles[1]` is `--style no. 2`; of several NAME=VALUE
    the name: `limits.min_sharpness` is `--limit min_sharpness`.
    """
    parameters = _RUNNING.get() or {}
    parts = field.split(".")
    for place in reversed(range(len(parts))):
        found = _PART.fullmatch(parts[place])
        parameter = _parameter(parameters, found[1]) if found else None
        if found and parameter is not None:
            return (
                parameter.shown
                + _number(parameter, found[2])
                + _key(parameter, found[2] or ".".join(parts[place + 1 :]))
            )
    return field


def _parameter(parameters: Mapping[str, Parameter], part: str) -> Parameter | None:
    if part in _OF_RESOURCES:
        return next((each for each in parameters.values() if not each.shown.startswith("-")), None)
    names = [part, *_CALLED.get(part, ()), part.removesuffix("_id"), part.removesuffix("s")]
    found = [parameters[name] for name in names if name in parameters]
    return next((each for each in found if each.value), found[0] if found else None)


def _number(parameter: Parameter, index: str | None) -> str:
    """` no. 2` for index 1; empty where only one value was given. Some options take several with commas between."""
    if index is None or not index.isdecimal():
        return ""
    alone = isinstance(parameter.value, list | tuple) and len(parameter.value) == 1 and "," not in parameter.value[0]
    return "" if alone else f" no. {int(index) + 1}"


def _key(parameter: Parameter, name: str) -> str:
    """` min_sharpness` where `min_sharpness=9` was among what was given; else empty."""
    given = parameter.value if isinstance(parameter.value, list | tuple) else ()
    return f" {name}" if any(str(each).startswith(f"{name}=") for each in given) else ""


def _retold(text: str, changed: Mapping[str, str]) -> str:
    """The text with the fields renamed, where it names them as fields: `styles` is a word of English too."""
    if not changed:
        return text
    fields = sorted(changed, key=len, reverse=True)
    named = [re.escape(field) + (r"(?![\w\[]|\.\w)" if re.search(r"\W|_", field) else "(?=: )") for field in fields]
    return re.sub(rf"(?<![\w.])(?:{'|'.join(named)})", lambda found: changed[found[0]], text)
