"""Reads the style library, one YAML file a style, and makes prompts of styles."""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headshots.errors import InvalidArgumentError, NotFoundError

_NAME = re.compile(r"[a-z0-9-]{1,64}")
_MAX_CHARACTERS = 256
# What a foundation's prompt template may mention.
TEMPLATE_FIELDS = frozenset({"subject", "outfit", "backdrop", "lighting", "framing"})


@dataclass(frozen=True)
class Style:
    """A versioned prompt recipe. `outfit` to `framing` are words that go into the prompt as they are."""

    name: str
    """The file's name without its suffix: 1 to 64 characters of a-z, 0-9 and -."""
    version: int
    """From 1; grows by one whenever the recipe changes."""
    display_name: str
    description: str
    outfit: str
    backdrop: str
    lighting: str
    framing: str


class StyleLibrary:
    """Styles by name, in the order of their names."""

    def __init__(self, styles: Iterable[Style]) -> None:
        self._styles = {style.name: style for style in sorted(styles, key=lambda style: style.name)}

    @classmethod
    def load(cls, directory: Path) -> StyleLibrary:
        """Reads every `*.yaml` of a folder.

        Raises:
            InvalidArgumentError: STYLE_INVALID, naming file and field; STYLES_MISSING, where there is none.
        """
        library = cls(_read(path) for path in sorted(directory.glob("*.yaml")))
        if not library._styles:
            raise InvalidArgumentError("STYLES_MISSING", f"{directory} holds no style; expected *.yaml files in it")
        return library

    def __iter__(self) -> Iterator[Style]:
        return iter(self._styles.values())

    def __len__(self) -> int:
        return len(self._styles)

    def __contains__(self, name: object) -> bool:
        return name in self._styles

    def get(self, name: str) -> Style:
        """One style.

        Raises:
            NotFoundError: STYLE_NOT_FOUND.
        """
        if name not in self._styles:
            raise NotFoundError("STYLE_NOT_FOUND", f"no style is called {name!r}; there are {', '.join(self._styles)}")
        return self._styles[name]


def check_template(template: str) -> None:
    """Holds a foundation's prompt template against the fields that styles can fill.

    Raises:
        InvalidArgumentError: PROMPT_TEMPLATE_INVALID.
    """
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
    except ValueError as error:
        raise InvalidArgumentError("PROMPT_TEMPLATE_INVALID", f"{template!r}: {error}") from error
    if "subject" not in fields or fields - TEMPLATE_FIELDS:
        raise InvalidArgumentError(
            "PROMPT_TEMPLATE_INVALID",
            f"{template!r} must name {{subject}}, and may name {', '.join(sorted(TEMPLATE_FIELDS - {'subject'}))}",
        )


def compose_prompt(template: str, style: Style, *, trigger: str, class_noun: str) -> str:
    """The prompt of one style for one person, e.g. "headshot of a ohwx man, wearing a navy suit, …".

    Args:
        template: the foundation's, with `{subject}`, `{outfit}`, `{backdrop}`, `{lighting}`, `{framing}`.
        trigger: the word that the adapter was taught to mean the person.
        class_noun: the word that the foundation knows such a person by.

    Raises:
        InvalidArgumentError: PROMPT_TEMPLATE_INVALID.
    """
    check_template(template)
    return template.format(
        subject=f"{trigger} {class_noun}".strip(),
        outfit=style.outfit,
        backdrop=style.backdrop,
        lighting=style.lighting,
        framing=style.framing,
    )


def _read(path: Path) -> Style:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _invalid(path, f"is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise _invalid(path, "must be a mapping of fields")
    wanted = {field.name: field.type for field in dataclasses.fields(Style)}
    if unknown := sorted(map(str, document.keys() - wanted.keys())):
        raise _invalid(path, f"has unknown fields {', '.join(unknown)}; a style has {', '.join(wanted)}")
    if missing := sorted(wanted.keys() - document.keys()):
        raise _invalid(path, f"lacks {', '.join(missing)}")
    for field in wanted:
        _check_field(path, field, document[field])
    style = Style(**document)
    if style.name != path.stem or not _NAME.fullmatch(style.name):
        raise _invalid(path, f"name must be the file's, of a-z, 0-9 and -; found {style.name!r}")
    return style


def _check_field(path: Path, field: str, value: Any) -> None:
    if field == "version":
        if type(value) is not int or value < 1:
            raise _invalid(path, f"version must be a whole number from 1; found {value!r}")
    elif not isinstance(value, str) or not value.strip() or len(value) > _MAX_CHARACTERS:
        raise _invalid(path, f"{field} must be 1 to {_MAX_CHARACTERS} characters of text; found {value!r}")


def _invalid(path: Path, what: str) -> InvalidArgumentError:
    return InvalidArgumentError("STYLE_INVALID", f"style file {path}: {what}", metadata={"file": path.name})
