"""Makes prompts of styles, after a foundation's template."""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Mapping

from headshots.errors import InvalidArgumentError
from headshots.styles.recipe import SUBJECT, Style

# What a foundation's prompt template may mention.
TEMPLATE_FIELDS = frozenset({"subject", "outfit", "backdrop", "lighting", "framing", "expression"})
_EXPRESSION = "{expression}"
# An article of the template's before words of the style's. The one before the subject is not among them: adapters have
# learned their trigger with the article that the template has.
_ARTICLE = re.compile(r"\b([Aa]) (?=\{(outfit|backdrop|lighting|framing|expression)\})")
_DETERMINED = re.compile(r"(an?|the|his|her|their|no) ", re.IGNORECASE)
# Vowels as they are said: a uniform, a European scarf, a one-piece; an hourglass dress.
_VOWEL = re.compile(r"(?!uni(?![mnr])|us[eu]|eu|one\b|once\b)[aeiou]|hour|honest|heir", re.IGNORECASE)


def check_template(template: str) -> None:
    """Holds a foundation's prompt template against the fields that styles can fill.

    Raises:
        InvalidArgumentError: PROMPT_TEMPLATE_INVALID.
    """
    try:
        parsed = [part for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise InvalidArgumentError("PROMPT_TEMPLATE_INVALID", f"{template!r}: {error}") from error
    fields = {field for _, field, _, _ in parsed}
    # A conversion or a width, as in {outfit:d}, would fail with the first words, or change them.
    plain = not any(width or conversion for _, _, width, conversion in parsed)
    if "subject" not in fields or fields - TEMPLATE_FIELDS or not plain:
        others = ", ".join(f"{{{field}}}" for field in sorted(TEMPLATE_FIELDS - {"subject"}))
        raise InvalidArgumentError(
            "PROMPT_TEMPLATE_INVALID",
            f"{template!r} must name {{subject}}, may name {others}, and nothing else in braces",
        )


def compose_prompt(template: str, style: Style, *, trigger: str, class_noun: str) -> str:
    """The prompt of one style for one person, e.g. "headshot of a ohwx man, wearing an orange hoodie, …".

    A style's own prompt replaces the template. Before the style's words an article of the template becomes the one that
    fits, or goes where they bring their own. An expression that the template does not mention comes last.

    Args:
        template: the foundation's, with `{subject}`, `{outfit}`, `{backdrop}`, `{lighting}`, `{framing}` and, where it
            likes, `{expression}`.
        trigger: the word that the adapter was taught to mean the person.
        class_noun: the word that the foundation knows such a person by.

    Raises:
        InvalidArgumentError: PROMPT_TEMPLATE_INVALID.
    """
    subject = f"{trigger} {class_noun}".strip()
    if style.prompt:
        return style.prompt.replace(SUBJECT, subject)
    check_template(template)
    words = {name: value for name, value in dataclasses.asdict(style).items() if name in TEMPLATE_FIELDS}
    fitted = _with_articles(_with_expression(template, style), words)
    return fitted.format(subject=subject, **words)


def _with_expression(template: str, style: Style) -> str:
    """The template with a place for the expression where the style has one, and without it where it has none."""
    parts = template.split(", ")
    if not style.expression:
        return ", ".join(part for part in parts if part != _EXPRESSION)
    return template if _EXPRESSION in template else f"{template}, {_EXPRESSION}"


def _with_articles(template: str, words: Mapping[str, str]) -> str:
    return _ARTICLE.sub(lambda found: _article(found[1], words[found[2]]), template)


def _article(article: str, words: str) -> str:
    if _DETERMINED.match(words):
        return ""
    return f"{article}n " if _VOWEL.match(words) else f"{article} "
