"""Reads settings from the environment: one frozen object a service, once, in its ``__main__``."""

from __future__ import annotations

import dataclasses
import difflib
import logging
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from headshots.errors import InvalidArgumentError

SettingsT = TypeVar("SettingsT")
READ_BY = "read by"
"""In a field's metadata: a function of the variable's text, where its type alone does not tell how it is read."""

_LOG = logging.getLogger(__name__)
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


@dataclass(frozen=True)
class Home:
    """Where the embedded defaults keep what they own. Production names a database and a store by URL instead."""

    path: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Home:
        """``HEADSHOTS_HOME``, else ``~/.local/share/headshots``."""
        return cls(Path(environ.get("HEADSHOTS_HOME") or "~/.local/share/headshots").expanduser().absolute())

    @property
    def database_url(self) -> str:
        """The embedded SQLite database."""
        return f"sqlite:///{self.path / 'headshots.db'}"

    @property
    def store_url(self) -> str:
        """The embedded object store."""
        return (self.path / "objects").as_uri()

    @property
    def erasure_log_url(self) -> str:
        """The log of erasures beside the embedded object store: who restores that one does not restore the log."""
        return (self.path / "erasure-log").as_uri()

    @property
    def engines(self) -> Path:
        """Exported engine packages, by digest."""
        return self.path / "engines"

    @property
    def foundations(self) -> Path:
        """Foundations that were imported because they were named as they were found, by digest."""
        return self.path / "foundations"

    def analyzer(self, name: str) -> Path:
        """Where `headshots analyzers install` puts the analyzer of that name."""
        return self.path / "analyzers" / name

    def analyzer_of(self, variable: str, environ: Mapping[str, str]) -> Path | None:
        """The folder of the analyzer that a service's ``variable`` names, where it is one that is installed."""
        return self.analyzer("people") if environ.get(variable) == "people" else None

    def scratch(self, service: str) -> Path:
        """Temporary files of a service's processes, a folder each."""
        return self.path / "scratch" / service

    @property
    def marking(self) -> Path:
        """The certificate that images are signed with, and its authority, where none is mounted."""
        return self.path / "marking"

    @property
    def authority_file(self) -> Path:
        """The authority that images made here are trusted by, where no certificate is mounted."""
        return self.marking / "authority.pem"

    @property
    def api_key_file(self) -> Path:
        """The key that the first start of the embedded gateway makes; mode 0600."""
        return self.path / "api-key"

    @property
    def receipt_key_file(self) -> Path:
        """The key that receipts of erasures are signed with, which the gateway that starts first makes; mode 0600."""
        return self.path / "receipt-key.pem"

    @property
    def internal_key_file(self) -> Path:
        """The secret of internal calls, which the service that starts first makes; mode 0600."""
        return self.path / "internal-key"


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner only; what is there stays as it is.

    Photos of people, the database and the API key lie in such folders.
    """
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def default_foundation() -> Path:
    """The bundled foundation of this checkout."""
    return Path(__file__).resolve().parent.parent / "models" / "tiny-portrait"


def default_analyzer() -> Path:
    """The bundled portrait analyzer of this checkout."""
    return Path(__file__).resolve().parent.parent / "models" / "portrait-analyzer"


def default_faces(foundation: Path) -> str:
    """The analyzer that fits a foundation: `bundled` for the drawn people that the bundled foundation paints, and
    nobody else; `people` for all others, whether or not it is installed: without it nobody's likeness is known."""
    return "bundled" if foundation.resolve() == default_foundation().resolve() else "people"


def without_analyzer(*services: str) -> str:
    """What to tell where `FACES` of these services (gateway, trainer, generator) is `none`: effects and cure."""
    effects = {
        "gateway": "no portrait is judged, and the guarantee of every gallery and shoot is NOT_MEASURED",
        "trainer": "a training's checkpoints are not chosen by likeness",
        "generator": "no portrait can be cut to the frame of a look",
    }
    variables = [f"HEADSHOTS_{service.upper()}_FACES" for service in services]
    folders = " and ".join(f"{each}_DIR" for each in variables)
    return (
        f"there is no analyzer of faces: {'; '.join(effects[service] for service in services)}. Set "
        f"{' and '.join(variables)} to people (real people; `headshots analyzers install people` brings it), to opencv "
        f"(real people; its files in {folders}) or to bundled (the drawn people of the bundled foundation alone)"
    )


def read_settings(cls: type[SettingsT], prefix: str, environ: Mapping[str, str], **given: Any) -> SettingsT:
    """Build the frozen dataclass ``cls`` from ``{prefix}{FIELD}`` variables.

    A field takes its variable's value where the variable is set and not empty, else ``given[field]``, else its own
    default. Types: str, int, float, bool, Path, and ``| None`` of these; a field of settings that
    have variables of their own is always given. A variable with the prefix that is no field's is told in the log: it
    may be a slip.

    Raises:
        InvalidArgumentError: SETTING_INVALID or SETTING_MISSING, naming the variable.
    """
    assert dataclasses.is_dataclass(cls)
    hints = typing.get_type_hints(cls)
    _tell_of_slips(prefix, environ, [prefix + field.name.upper() for field in dataclasses.fields(cls)])
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        variable = prefix + field.name.upper()
        raw = environ.get(variable, "") if not dataclasses.is_dataclass(hints[field.name]) else ""
        if raw:
            read = field.metadata.get(READ_BY)
            values[field.name] = read(raw) if read else _parse(variable, raw, hints[field.name])
        elif field.name in given:
            values[field.name] = given[field.name]
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InvalidArgumentError("SETTING_MISSING", f"set {variable}")
    return cls(**values)


def read_port(environ: Mapping[str, str], variable: str, default: int) -> int:
    """A port from its variable, as `read_settings` reads it.

    Raises:
        InvalidArgumentError: SETTING_INVALID.
    """
    raw = environ.get(variable, "")
    return int(_parse(variable, raw, int)) if raw else default


def without_settings(environ: Mapping[str, str], *, checkout: Path | None = None) -> dict[str, str]:
    """What services inherit that must not touch what the caller's own settings name, as a database: the variables
    without those of headshots.

    ``checkout``: a working tree to import from, before whatever else is on the import path; None leaves that as it is.
    Services look into no folder that they are started in.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("HEADSHOTS_")}
    if checkout is None:
        return kept
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, [str(checkout), kept.get("PYTHONPATH", "")]))}


def _tell_of_slips(prefix: str, environ: Mapping[str, str], known: list[str]) -> None:
    """Warn of variables that look like a setting of this service and are none."""
    for name in sorted(environ):
        if name.startswith(prefix) and name not in known:
            meant = "".join(f"; did you mean {close}?" for close in difflib.get_close_matches(name, known, n=1))
            _LOG.warning("%s is no setting and is ignored%s (docs/operations.md lists them)", name, meant)


def _parse(variable: str, raw: str, hint: Any) -> Any:
    """Convert one variable's text to the field's type."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (arm for arm in typing.get_args(hint) if arm is not type(None))
    try:
        if hint is bool:
            if raw.lower() not in _TRUE | _FALSE:
                raise ValueError("say true or false")
            return raw.lower() in _TRUE
        if hint is Path:
            return Path(raw).expanduser().absolute()
        value = hint(raw)
        if hint is int and variable.endswith("_PORT") and not 0 <= value <= 65535:
            raise ValueError("a port is 0 to 65535")
        return value
    except ValueError as error:
        raise InvalidArgumentError(
            "SETTING_INVALID", f"{variable}={raw!r} is not a valid {getattr(hint, '__name__', hint)}: {error}"
        ) from error
