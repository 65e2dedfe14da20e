"""Tells how a foundation is named: by a path of this machine, or by what a model hub calls it.

A name that was read is a path: absolute, where it is one of this machine; relative, as ``org/name@revision``, where it
is a hub's. So a name can be a setting, an option and an argument like any other path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

_WEIGHTS = ("safetensors", "ckpt", "bin", "pt", "pth", "gguf")
# Within a repository a file is named by its path there. A repository that is called as a file of weights is a mistyped
# path.
_HUB = re.compile(
    r"(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9](?:(?!\.(?:{0})(?:[/@]|$))[\w.-])*)"
    r"(?:/(?P<file>[^@]+\.(?:{0})))?(?:@(?P<revision>[^@\s]+))?".format("|".join(_WEIGHTS)),
    re.ASCII,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubName:
    """What a hub is asked for: ``org/name@revision``, or ``org/name/file.safetensors@revision``.

    Attributes:
        repository: ``org/name``.
        file: path of one file within the repository; empty: the foundation that the repository is.
        revision: a branch, a tag or a commit; empty: the repository's default branch.
    """

    repository: str
    file: str = ""
    revision: str = ""

    def __str__(self) -> str:
        """As it is typed."""
        file, revision = self.file and f"/{self.file}", self.revision and f"@{self.revision}"
        return f"{self.repository}{file}{revision}"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a whole commit, which never means anything else."""
        return _COMMIT.fullmatch(self.revision) is not None

    def at(self, commit: str) -> HubName:
        """The same at a commit."""
        return replace(self, revision=commit)


def named(text: str) -> Path:
    """The name of a foundation, as somebody types it: what is here wins over what a hub may have."""
    path = Path(text).expanduser()
    is_hubs = not path.exists() and _HUB.fullmatch(text) is not None
    return Path(text) if is_hubs else path.absolute()


def hub_name(name: Path) -> HubName | None:
    """What a hub is asked for; None where the name is a path of this machine."""
    found = None if name.is_absolute() or name.exists() else _HUB.fullmatch(name.as_posix())
    return None if found is None else HubName(found["repository"], found["file"] or "", found["revision"] or "")
