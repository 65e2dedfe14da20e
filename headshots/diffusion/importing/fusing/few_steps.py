"""Knows what each kind of few-step LoRA needs to be sampled with, from what its makers publish.

Which kind a file is cannot always be read from it: then whoever fuses it says so. None of the published files was at
hand when this was written, so whether their metadata name their kind is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headshots.errors import InvalidArgumentError

NO_FEWER = "none"
"""What to say of LoRA that leave the number of steps as it is, as those of a style."""
_FAMILIES = ("sd15", "sdxl")
# Where programs write what a file is, in their users' words.
_TITLES = ("modelspec.title", "modelspec.description", "modelspec.usage_hint", "ss_output_name")


@dataclass(frozen=True)
class FewSteps:
    """How images are sampled with a kind of LoRA.

    Attributes:
        families: of foundations that it is published for.
        settings: what ``headshots.yaml`` says of it.
        source: where its makers say so.
    """

    families: Sequence[str]
    settings: Mapping[str, Any]
    source: str


def _unguided(sampler: str, steps: int, **more: Any) -> dict[str, Any]:
    """Their guidance 0 and 1 both mean that the prompt's prediction is taken as it is; here that is 1."""
    return {"sampler": sampler, **more, "steps": steps, "guidance_scale": 1.0, "adapter_guidance_scale": 1.0}


_LIGHTNING = "https://huggingface.co/ByteDance/SDXL-Lightning"
_HYPER = "https://huggingface.co/ByteDance/Hyper-SD"
_DMD2 = "https://huggingface.co/tianweiy/DMD2"
_LCM = "https://huggingface.co/latent-consistency/lcm-lora-sdxl"
_TCD = "https://huggingface.co/h1t/TCD-SDXL-LoRA"


def _lightning(steps: int) -> FewSteps:
    """Its one-step model predicts otherwise, is no LoRA, and is not here."""
    return FewSteps(("sdxl",), _unguided("euler", steps, spacing="trailing"), _LIGHTNING)


def _hyper(steps: int) -> FewSteps:
    return FewSteps(_FAMILIES, _unguided("ddim", steps, spacing="trailing"), _HYPER)


def _hyper_guided(steps: int) -> FewSteps:
    """Trained to keep guidance: its makers name 5 to 8."""
    settings = {"sampler": "ddim", "spacing": "trailing", "steps": steps}
    return FewSteps(_FAMILIES, {**settings, "guidance_scale": 5.0, "adapter_guidance_scale": 5.0}, _HYPER)


def _lcm(steps: int) -> FewSteps:
    """Two to eight steps, by its makers; guidance off, or 1 to 2."""
    return FewSteps(_FAMILIES, _unguided("lcm", steps), _LCM)


KINDS: Mapping[str, FewSteps] = {
    "lightning-2": _lightning(2),
    "lightning-4": _lightning(4),
    "lightning-8": _lightning(8),
    # TCD with eta 1; the number of steps is its own choice, as its makers call it unified.
    "hyper-1": FewSteps(_FAMILIES, _unguided("tcd", 1, eta=1.0), _HYPER),
    "hyper-2": _hyper(2),
    "hyper-4": _hyper(4),
    "hyper-8": _hyper(8),
    "hyper-8-cfg": _hyper_guided(8),
    "hyper-12-cfg": _hyper_guided(12),
    # Taught at 999, 749, 499 and 249; LCMScheduler would take others of its own 50.
    "dmd2-4": FewSteps(("sdxl",), _unguided("lcm", 4, original_inference_steps=4), _DMD2),
    "lcm-4": _lcm(4),
    "lcm-8": _lcm(8),
    "tcd-4": FewSteps(_FAMILIES, _unguided("tcd", 4, eta=0.3), _TCD),
}
"""By what an operator calls them: the method and its steps."""
_WORDS: Mapping[str, str] = {
    "lightning": "lightning",
    r"hyper[-_ ]?sd": "hyper",
    "dmd2": "dmd2",
    r"\blcm\b|latent[-_ ]consistency": "lcm",
    r"\btcd\b|trajectory[-_ ]consistency": "tcd",
}
# Keys of headshots.yaml that say how images are sampled.
_SAMPLING = (
    "sampler",
    "spacing",
    "original_inference_steps",
    "eta",
    "steps",
    "guidance_scale",
    "adapter_guidance_scale",
    "guidance_interval",
)
_COUNT = re.compile(r"(\d+)[-_ ]?steps?")


def choose(named: str, files: Sequence[tuple[Path, Mapping[str, str]]]) -> str:
    """The kind that was named, else what the metadata of the files say.

    Args:
        named: a name of :data:`KINDS`, :data:`NO_FEWER`, or empty.
        files: of the LoRA that are fused, with their metadata.

    Raises:
        InvalidArgumentError: FUSE_STEPS_UNKNOWN, which names the choices.
    """
    if named:
        if named != NO_FEWER and named not in KINDS:
            raise _unknown(f"{named!r} is no kind of few-step LoRA")
        return named
    said = {kind for _, metadata in files if (kind := _told(" ".join(metadata.get(key, "") for key in _TITLES)))}
    if len(said) == 1:
        return said.pop()
    looks = {kind for path, _ in files if (kind := _told(path.stem))}
    hint = f" Its name looks like {looks.pop()}." if len(looks) == 1 else ""
    names = ", ".join(path.name for path, _ in files)
    raise _unknown(f"{names} do{'es' if len(files) == 1 else ''} not tell what sampling it needs.{hint}")


def few_step_settings(kind: str, family: str) -> Mapping[str, Any]:
    """What ``headshots.yaml`` says of sampling, for a foundation of ``family``; empty for :data:`NO_FEWER`.

    Raises:
        InvalidArgumentError: FUSE_OTHER_FAMILY.
    """
    if kind == NO_FEWER:
        return {}
    wanted = KINDS[kind]
    if family not in wanted.families:
        raise InvalidArgumentError(
            "FUSE_OTHER_FAMILY",
            f"{kind} is published for {' and '.join(wanted.families)} alone ({wanted.source}), and the foundation is "
            f"of the family {family}",
        )
    return wanted.settings


def few_steps_in(settings: Mapping[str, Any], kind: str, family: str) -> dict[str, Any]:
    """What a ``headshots.yaml`` says, with the sampling that ``kind`` wants; all else is kept.

    Raises:
        InvalidArgumentError: FUSE_OTHER_FAMILY.
    """
    if not (wanted := few_step_settings(kind, family)):
        return dict(settings)
    return {**wanted, **{key: value for key, value in settings.items() if key not in _SAMPLING}}


def few_steps_text(text: str, kind: str, family: str) -> str:
    """The same of the file's text, without its comments.

    Raises:
        InvalidArgumentError: FUSE_OTHER_FAMILY.
    """
    head = f"# Sampling is what {kind} wants ({KINDS[kind].source}), which is fused into the weights.\n"
    return head + yaml.safe_dump(few_steps_in(yaml.safe_load(text) or {}, kind, family), sort_keys=False)


def _told(text: str) -> str:
    """The only kind that a text may mean, else nothing."""
    text = text.lower().replace("_", "-")
    methods = [method for pattern, method in _WORDS.items() if re.search(pattern, text)]
    count = _COUNT.search(text)
    if len(methods) != 1 or count is None:
        return ""
    guided = "-cfg" if re.search(r"\bcfg\b", text) else ""
    kind = f"{methods[0]}-{count[1]}{guided}"
    return kind if kind in KINDS else ""


def _unknown(why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        "FUSE_STEPS_UNKNOWN",
        f"{why} Say which with --few-steps (HEADSHOTS_FEW_STEPS): {', '.join(KINDS)}; or {NO_FEWER}, for one that "
        "leaves the number of steps as it is",
    )
