"""Opens analyzers by the name that settings choose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headshots.errors import FailedPreconditionError, InvalidArgumentError
from headshots.faces.base import FaceAnalyzer
from headshots.faces.people.files import installed
from headshots.settings import default_analyzer

ANALYZERS = ("bundled", "people", "opencv", "none")


def open_analyzer(name: str, folder: Path | None = None) -> FaceAnalyzer | None:
    """The analyzer of that name with the weights in `folder`; None for "none": likeness is then not measured.

    `bundled` without a folder takes the one of this checkout; the others have no default.

    Raises:
        InvalidArgumentError: ANALYZER_UNKNOWN, ANALYZER_FOLDER_MISSING.
        FailedPreconditionError: ANALYZER_NEEDS_PACKAGE, ANALYZER_NOT_INSTALLED, ANALYZER_UNUSABLE.
    """
    if name == "none":
        return None
    if name == "bundled":
        with _needing("bundled"):
            from headshots.faces.bundled import BundledAnalyzer
        return BundledAnalyzer(folder or default_analyzer())
    if name == "people":
        with _needing("people"):
            from headshots.faces.people.analyzer import PeopleAnalyzer
        check_installed(name, folder)
        assert folder is not None
        return PeopleAnalyzer(folder)
    if name == "opencv":
        from headshots.faces.opencv import OpenCVAnalyzer

        return OpenCVAnalyzer(_given(folder, name, "that holds YuNet's and SFace's files"))
    raise InvalidArgumentError("ANALYZER_UNKNOWN", f"no analyzer {name!r}; know {', '.join(ANALYZERS)}")


def check_installed(name: str, folder: Path | None) -> None:
    """Raise what `open_analyzer` would for an analyzer that has to be installed and is not; loads nothing."""
    if name == "people":
        installed(_given(folder, name, "that `headshots analyzers install people` printed"))


def _given(folder: Path | None, name: str, which: str) -> Path:
    if folder is None:
        raise InvalidArgumentError("ANALYZER_FOLDER_MISSING", f"the {name} analyzer needs the folder {which}")
    return folder


@contextmanager
def _needing(name: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise FailedPreconditionError(
            "ANALYZER_NEEDS_PACKAGE",
            f"the {name} analyzer needs ONNX Runtime and Pillow ({error}): pip install 'headshots[faces]'",
        ) from error
