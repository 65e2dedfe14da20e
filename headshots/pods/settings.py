"""The settings of a service in a pod of Kubernetes, the same for those that have them: ``HEADSHOTS_POD_<FIELD>``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headshots.settings import read_settings


@dataclass(frozen=True)
class PodSettings:
    """The pod that the service runs in, and how its Kubernetes is asked."""

    name: str | None = None
    """The pod's name. Unset: Kubernetes is told nothing, as outside a cluster."""
    namespace: str = "headshots"
    """The pod's namespace."""
    account_dir: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    """Folder with `token` and `ca.crt` of the pod's service account; both are read anew for every call."""
    api_url: str = "https://kubernetes.default.svc"
    """Where Kubernetes' API is; its certificate has to be of that CA."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> PodSettings:
        """Read the environment.

        Raises:
            InvalidArgumentError: SETTING_INVALID.
        """
        return read_settings(cls, "HEADSHOTS_POD_", environ)
