"""Asks a hub which commit a name means, and which files it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants
from huggingface_hub.hf_api import RepoSibling

from headshots.diffusion.foundations.names import HubName
from headshots.diffusion.importing.hub.telling import telling


@dataclass(frozen=True)
class Hub:
    """Where models come from.

    Attributes:
        endpoint: its address; None: HF_ENDPOINT's, else https://huggingface.co.
        cache: folder of what was fetched; None: HF_HUB_CACHE's, else hub in HF_HOME.
    """

    endpoint: str | None = None
    cache: Path | None = None

    @property
    def url(self) -> str:
        """The address that is asked."""
        return self.endpoint or constants.ENDPOINT

    @property
    def api(self) -> HfApi:
        """Calls to it; the token is HF_TOKEN's, else that of `hf auth login`."""
        return HfApi(endpoint=self.endpoint, library_name="headshots")


@dataclass(frozen=True)
class Pinned:
    """What a name means now.

    Attributes:
        asked: as it was named.
        commit: 40 hex digits.
        hub: where.
    """

    asked: HubName
    commit: str
    hub: Hub

    @property
    def name(self) -> HubName:
        """The name that means the same for ever."""
        return self.asked.at(self.commit)

    def note(self) -> str | None:
        """What to tell of a revision that moves."""
        if self.asked.is_pinned:
            return None
        what = self.asked.revision or "the default branch"
        return f"{what} of {self.asked.repository} is {self.commit} now; {self.name} names it for ever"


@dataclass(frozen=True)
class RemoteFile:
    """One file of a repository: bytes, and the digest that the hub tells: SHA-256, or git's SHA-1 of small ones."""

    size: int
    digest: str


def pin(asked: HubName, hub: Hub) -> Pinned:
    """Ask which commit a name means; where the hub is away, what the cache knows from before.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.hub.telling.telling`.
    """
    with telling(asked, hub.url):
        found = hub.api.resolve_revision(asked.repository, revision=asked.revision or None, cache_dir=hub.cache)
    return Pinned(asked, found.resolved, hub)


def remote_files(pinned: Pinned) -> Mapping[str, RemoteFile]:
    """Every file of the commit by its path.

    Raises:
        HeadshotsError: as :func:`headshots.diffusion.importing.hub.telling.telling`.
    """
    hub, name = pinned.hub, pinned.name
    with telling(name, hub.url):
        info = hub.api.model_info(
            name.repository, revision=pinned.commit, files_metadata=True, timeout=constants.HF_HUB_ETAG_TIMEOUT
        )
        return dict(_file(each) for each in info.siblings or ())


def _file(told: RepoSibling) -> tuple[str, RemoteFile]:
    """Path and facts of a file. Raises TypeError, where they are none."""
    name, size, digest = told.rfilename, told.size or 0, told.lfs.sha256 if told.lfs else told.blob_id or ""
    if not (isinstance(name, str) and isinstance(size, int) and isinstance(digest, str)):
        raise TypeError(f"a file {name!r} of {size!r} bytes with the digest {digest!r}")
    return name, RemoteFile(size, digest)
