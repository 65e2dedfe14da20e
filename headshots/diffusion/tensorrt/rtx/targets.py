"""Says which GPUs engines of TensorRT for RTX can be built for, and which version of it is installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from headshots.errors import FailedPreconditionError, InvalidArgumentError

TARGETS = {
    "sm80": "A100, A30",
    "sm86": "A10, A40, RTX 30",
    "sm89": "L4, L40S, RTX 40",
    "sm120": "RTX 50, RTX PRO Blackwell",
    "sm121": "GB10",
}
"""Compute capabilities that packages are built for, with GPUs that have them."""
_ELSEWHERE = {
    "sm75": "on T4 and RTX 20 it multiplies no fp32 matrices, as text encoders and VAE ask; serve those on cuda or "
    "tensorrt",
    "sm90": "H100 and H200 are none of its GPUs; serve those on tensorrt or cuda",
}
"""Compute capabilities that one might ask for, and why in vain."""
_DISTRIBUTIONS = ("tensorrt-rtx-cu12-bindings", "tensorrt-rtx-cu13-bindings")
TERMS = "90 MB; whoever installs it accepts NVIDIA's own licence"
"""What to know before installing TensorRT for RTX."""
LISTED = ", ".join(f"{target} ({gpus})" for target, gpus in TARGETS.items())
"""The targets for messages: ``sm80 (A100, A30), sm86 (…), …``."""


def check_targets(targets: Iterable[str]) -> tuple[str, ...]:
    """The targets in the table's order, each once.

    Raises:
        InvalidArgumentError: EXPORT_OPTIONS_INVALID, naming those that can be had.
    """
    wanted = set(targets)
    unknown = sorted(wanted - TARGETS.keys())
    if unknown:
        refused = ", ".join(f"{each} ({_ELSEWHERE[each]})" if each in _ELSEWHERE else each for each in unknown)
        raise InvalidArgumentError(
            "EXPORT_OPTIONS_INVALID",
            f"TensorRT for RTX builds no engines for {refused}; use, separated by commas, {LISTED}",
        )
    return tuple(target for target in TARGETS if target in wanted)


def parse_targets(text: str) -> tuple[str, ...]:
    """``sm89,sm120`` to targets; nothing to none.

    Raises:
        InvalidArgumentError: EXPORT_OPTIONS_INVALID.
    """
    return check_targets(part.strip().lower() for part in text.split(",") if part.strip())


def elsewhere(target: str) -> str | None:
    """Why GPUs of a compute capability are not served by TensorRT for RTX, and what serves them; None: they are."""
    if target in TARGETS:
        return None
    return _ELSEWHERE.get(target, "it is none of its GPUs; serve it on cuda or tensorrt")


def installed_version() -> str:
    """Version of the installed TensorRT for RTX, which both builds engines and runs them; does not load it.

    Raises:
        FailedPreconditionError: EXTRA_MISSING.
    """
    for name in _DISTRIBUTIONS:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    raise FailedPreconditionError(
        "EXTRA_MISSING",
        "TensorRT for RTX is not installed: in a checkout of headshots, "
        f"pip install -c constraints.txt -e '.[tensorrt-rtx]' ({TERMS})",
    )
