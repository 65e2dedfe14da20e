"""Checks styles with a generator before anything is queued or kept: sizes, steps, and whether its words are read."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headshots.errors import (
    FailedPreconditionError,
    FieldViolation,
    HeadshotsError,
    InvalidArgumentError,
    UnavailableError,
)
from headshots.looks.frame import Frame
from headshots.styles.recipe import WORDS, Style
from services.gateway.peers.class_nouns import check_class_noun
from services.gateway.peers.models import (
    Adapter,
    GenerationCheck,
    GenerationRequest,
    GeneratorDescription,
    SourceImage,
    TextReading,
)
from services.gateway.peers.pools.pools import Pools
from services.gateway.styles.requests import request_of

_LOG = logging.getLogger(__name__)
_SAID = (*WORDS, "expression", "prompt")
_TOLD_WORDS = 40
"""Words of a closed vocabulary that a message tells, at most."""


@dataclass(frozen=True)
class Sitter:
    """Who would be painted: whose adapter, over which image."""

    tenant: str
    class_noun: str = ""
    """Empty: the longest that the foundation knows people by."""
    adapter: Adapter | None = None
    source: SourceImage | None = None
    frame: Frame | None = None
    """What the image is cut to."""
    foundation: str = ""
    """Digest of the foundation where there is no adapter; empty: the default one."""

    @property
    def foundation_digest(self) -> str:
        """Of the foundation to paint with; empty: the default one."""
        return self.adapter.foundation_digest if self.adapter is not None else self.foundation


@dataclass(frozen=True)
class StyleReading:
    """What a generator says of a style."""

    style: Style
    request: GenerationRequest
    check: GenerationCheck
    description: GeneratorDescription

    @property
    def unknown_words(self) -> tuple[str, ...]:
        """The style's words that the foundation was not taught; what the template and the subject add is not its."""
        own = set(_own_words(self.style))
        return tuple(word for word in self.check.prompt.unknown_words if word in own)


class StyleChecks:
    """Asks a generator what it makes of styles."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def read(self, style: Style, sitter: Sitter) -> StyleReading:
        """What a generator would make of the style.

        Raises:
            InvalidArgumentError: SIZE_INVALID, REPAINT_TOO_LITTLE and the like: the generator would not paint it.
            FailedPreconditionError: FOUNDATION_NOT_SERVED.
            UnavailableError: GENERATOR_UNREACHABLE.
        """
        return await self._read(style, sitter, await self._pools.describe(sitter.foundation_digest))

    async def _read(self, style: Style, sitter: Sitter, description: GeneratorDescription) -> StyleReading:
        class_noun = sitter.class_noun or max(description.class_nouns, key=len, default="person")
        request = request_of(
            style,
            description,
            tenant=sitter.tenant,
            class_noun=class_noun,
            adapter=sitter.adapter,
            source=sitter.source,
            frame=sitter.frame,
        )
        try:
            check = await self._pools.check(request, sitter.foundation_digest)
        except (InvalidArgumentError, FailedPreconditionError):
            raise
        except HeadshotsError as error:
            # Away, silent until the deadline, or of a version that knows no checks: for who asks it is all the same.
            message = "no generator can be reached; it is tried again"
            raise UnavailableError("GENERATOR_UNREACHABLE", message) from error
        return StyleReading(style, request, check, description)

    async def check(self, style: Style, sitter: Sitter, *, field: str) -> None:
        """Refuses what could not be painted as it was meant; where no generator answers, nothing is refused.

        `field` names the style in the caller's request, as `styles[0]`; of `recipe` the refusals name the fields.

        Raises:
            InvalidArgumentError: SIZE_INVALID, REPAINT_TOO_LITTLE, STYLE_WORDS_UNKNOWN, PROMPT_TOO_LONG.
            FailedPreconditionError: CLASS_NOUN_UNKNOWN, FOUNDATION_NOT_SERVED, FRAME_NEEDS_ANALYZER.
        """
        description = await self._pools.describe_if_reachable(sitter.foundation_digest)
        if description is None:
            _LOG.warning("styles/%s is not checked: nobody tells what the foundation can paint", style.name)
            return
        try:
            reading = await self._read(style, sitter, description)
        except (InvalidArgumentError, FailedPreconditionError) as refusal:
            raise _of_style(refusal, style, field) from refusal
        except UnavailableError as error:
            _LOG.warning("styles/%s is not checked: %s", style.name, error)
            return
        if sitter.class_noun:
            check_class_noun(reading.description, sitter.class_noun)
        if reading.unknown_words:
            raise _unknown_words(reading.unknown_words, reading.description, style, field)
        for kind, text in (("prompt", reading.check.prompt), ("negative_prompt", reading.check.negative_prompt)):
            if text.lost:
                raise _too_long(reading.description, text, kind, style, field)


def check_words(style: Style, description: GeneratorDescription, *, field: str) -> None:
    """Refuses a style with words that a foundation with a closed vocabulary was not taught, without asking a generator.

    Raises:
        InvalidArgumentError: STYLE_WORDS_UNKNOWN.
    """
    taught = set(description.vocabulary)
    unknown = tuple(word for word in _own_words(style) if word not in taught)
    if taught and unknown:
        raise _unknown_words(unknown, description, style, field)


def _unknown_words(
    words: Sequence[str], description: GeneratorDescription, style: Style, field: str
) -> InvalidArgumentError:
    unknown, known = ", ".join(words), " ".join(description.vocabulary[:_TOLD_WORDS])
    rule = f"the foundation does not know {unknown}"
    fields = _fields_with(words, style, field)
    return InvalidArgumentError(
        "STYLE_WORDS_UNKNOWN",
        f"styles/{style.name}: {rule} and would paint something else; say it in words that it knows: {known} …; "
        "GetFoundation tells all",
        violations=[FieldViolation(each, rule) for each in fields],
    )


def _own_words(style: Style) -> Iterable[str]:
    """Each once; what the template and the subject add is not the style's."""
    return dict.fromkeys(word for name in _SAID for word in _words(getattr(style, name).replace("{subject}", "")))


def _fields_with(words: Iterable[str], style: Style, field: str) -> list[str]:
    """Where in the caller's request the words stand."""
    told = set(words)
    found = [f"recipe.{name}" for name in _SAID if told & set(_words(getattr(style, name)))]
    return found if field == "recipe" and found else [field]


def _too_long(
    description: GeneratorDescription, text: TextReading, kind: str, style: Style, field: str
) -> InvalidArgumentError:
    rule = f"{text.tokens} tokens, of which the foundation reads {description.window_tokens}"
    return InvalidArgumentError(
        "PROMPT_TOO_LONG",
        f"styles/{style.name}: its {kind.replace('_', ' ')} has {rule}; these words would be lost: {text.lost}",
        violations=[FieldViolation(f"recipe.{kind}" if field == "recipe" else field, f"{rule}; lost: {text.lost}")],
    )


def _of_style(refusal: InvalidArgumentError | FailedPreconditionError, style: Style, field: str) -> HeadshotsError:
    """The generator's refusal, in the words of the caller's request."""
    violations = []
    for each in refusal.violations:
        own = "remix.repaint" if each.field.startswith("request.source") or each.field.startswith("source") else field
        name = f"recipe.{each.field}" if own == "recipe" else own
        violations.append(FieldViolation(name, each.description))
    return type(refusal)(refusal.reason, f"styles/{style.name}: {refusal.message}", violations=violations)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())
