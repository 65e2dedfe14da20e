"""Opens analyzers by the name that settings choose."""

from __future__ import annotations

from pathlib import Path

from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.faces.base import FaceAnalyzer
from headshots.settings import default_analyzer

ANALYZERS = ("bundled", "opencv", "none")


def open_analyzer(name: str, folder: Path | None = None) -> FaceAnalyzer | None:
    """The analyzer of that name with the weights in `folder`; None for "none": likeness is then not measured.

    `bundled` without a folder takes the one of this checkout; `opencv` has no default.

    Raises:
        InvalidArgumentError: ANALYZER_UNKNOWN, ANALYZER_FOLDER_MISSING.
        FailedPreconditionError: ANALYZER_NEEDS_PACKAGE, ANALYZER_UNUSABLE.
    """
    if name == "none":
        return None
    if name == "bundled":
        try:
            from headshots.faces.bundled import BundledAnalyzer
        except ImportError as error:
            raise FailedPreconditionError(
                "ANALYZER_NEEDS_PACKAGE",
                f"the bundled analyzer needs ONNX Runtime and Pillow ({error}): pip install 'headshots[faces]'",
            ) from error
        return BundledAnalyzer(folder or default_analyzer())
    if name == "opencv":
        if folder is None:
            raise InvalidArgumentError(
                "ANALYZER_FOLDER_MISSING", "the opencv analyzer needs the folder that holds YuNet's and SFace's files"
            )
        from headshots.faces.opencv import OpenCVAnalyzer

        return OpenCVAnalyzer(folder)
    raise InvalidArgumentError("ANALYZER_UNKNOWN", f"no analyzer {name!r}; know {', '.join(ANALYZERS)}")
