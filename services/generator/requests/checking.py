"""Checks requests before they are queued: their numbers against the engine, their prompts against its text encoders."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headshots.diffusion.package import EnginePackage
from headshots.diffusion.text import TextReader
from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.looks.fitting import Painted, find_misfits
from services.generator.requests.plan import Plan, make_plan
from services.generator.requests.request import GenerationRequest

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class TextCheck:
    """What the foundation reads of a text; fields as in the contract's TextReading."""

    tokens: int
    lost: str
    unknown_words: tuple[str, ...]


@dataclass(frozen=True)
class RequestCheck:
    """What a request would become."""

    plan: Plan
    prompt: TextCheck
    negative_prompt: TextCheck


class RequestChecker:
    """Plans requests for one package. Paints nothing and needs no network."""

    def __init__(self, package: EnginePackage, *, can_frame: bool = False) -> None:
        """``can_frame``: whether there is an analyzer of faces to cut images by."""
        self._package = package
        self._can_frame = can_frame
        self._reader = TextReader(package.folder, package.text_encoders)
        self._vocabulary = frozenset(package.vocabulary)

    def plan(self, request: GenerationRequest) -> Plan:
        """The plan of a request that is to be painted.

        Raises:
            InvalidArgumentError: PROMPT_TOO_LONG, and see :func:`services.generator.requests.plan.make_plan`.
            FailedPreconditionError: FRAME_NEEDS_ANALYZER.
        """
        plan = self._planned(request)
        for field, text in (("prompt", request.prompt), ("negative_prompt", request.negative_prompt)):
            lost = self._reader.read(text).lost
            if lost:
                window = self._package.window_tokens
                raise InvalidArgumentError(
                    "PROMPT_TOO_LONG",
                    f"the text encoder reads {window} tokens, and would lose: {lost}; say it in fewer words",
                    violations=[FieldViolation(field, f"must fit into {window} tokens")],
                )
        return plan

    def check(self, request: GenerationRequest) -> RequestCheck:
        """What the request would become, and what is read of its prompts, however long.

        Raises:
            InvalidArgumentError: as `plan`, but for PROMPT_TOO_LONG.
            FailedPreconditionError: FRAME_NEEDS_ANALYZER, FRAME_BEYOND_PORTRAITS.
        """
        plan = self._planned(request)
        self._check_room(request, plan)
        return RequestCheck(plan, self._read(request.prompt), self._read(request.negative_prompt))

    def _planned(self, request: GenerationRequest) -> Plan:
        if request.frame is not None and not self._can_frame:
            raise FailedPreconditionError(
                "FRAME_NEEDS_ANALYZER",
                "no analyzer of faces is set for the generators, so no image can be cut to a frame: set "
                "HEADSHOTS_GENERATOR_FACES as HEADSHOTS_GATEWAY_FACES is set",
                violations=[FieldViolation("frame", "needs HEADSHOTS_GENERATOR_FACES")],
            )
        return make_plan(request, self._package)

    def _check_room(self, request: GenerationRequest, plan: Plan) -> None:
        """Refuses a frame that usual pictures have no room for: told of the native size, and of what is painted anew.

        Not where images are painted: one may have room all the same.
        """
        package = self._package
        native = package.native_width_px, package.native_height_px
        painted = Painted.told(package.head_height, package.eye_line, *native)
        is_told = request.source is None and (plan.width_px, plan.height_px) == native
        if request.frame is None or painted is None or not is_told:
            return
        if misfits := list(find_misfits(request.frame, painted)):
            told = "; ".join(f"{each.field}: {each.description}" for each in misfits)
            raise FailedPreconditionError(
                "FRAME_BEYOND_PORTRAITS",
                f"{package.foundation} paints portraits that have no room for the look's frame: {told}",
                violations=[FieldViolation(f"frame.{each.field}", each.description) for each in misfits],
            )

    def _read(self, text: str) -> TextCheck:
        reading = self._reader.read(text)
        words = dict.fromkeys(word for word in _WORD.findall(text.lower()) if word not in self._vocabulary)
        return TextCheck(reading.tokens, reading.lost, tuple(words) if self._vocabulary else ())
