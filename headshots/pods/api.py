"""Annotates the service's own pod, through Kubernetes' API."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

from headshots.errors import FailedPreconditionError, UnavailableError
from headshots.pods.settings import PodSettings

CALL_SECONDS = 5.0
_MERGE_PATCH = "application/merge-patch+json"


class PodApi:
    """The pod of these settings, which have a name. May be used from any thread."""

    def __init__(self, settings: PodSettings) -> None:
        assert settings.name, "without a pod nobody is told anything"
        self._settings = settings
        namespace, name = (urllib.parse.quote(part, safe="") for part in (settings.namespace, settings.name))
        self._url = f"{settings.api_url.rstrip('/')}/api/v1/namespaces/{namespace}/pods/{name}"

    def annotate(self, name: str, value: str, *, dry_run: bool = False) -> None:
        """Set an annotation of the pod; ``dry_run`` only asks whether that would be allowed.

        Raises:
            UnavailableError: KUBERNETES_UNAVAILABLE: the API does not answer, or not now.
            FailedPreconditionError: KUBERNETES_REFUSES: this may not be, or token or CA cannot be used.
        """
        body = json.dumps({"metadata": {"annotations": {name: value}}}).encode()
        request = urllib.request.Request(
            self._url + ("?dryRun=All" if dry_run else ""),
            data=body,
            method="PATCH",
            headers={"Authorization": f"Bearer {self._token()}", "Content-Type": _MERGE_PATCH},
        )
        try:
            # No proxy: the API is within the cluster, and the token is for nobody else.
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._context())
            )
            with opener.open(request, timeout=CALL_SECONDS) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error.code, error.read(2000).decode(errors="replace")) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise UnavailableError(
                "KUBERNETES_UNAVAILABLE",
                f"{self._settings.api_url} does not answer: {reason}; see HEADSHOTS_POD_API_URL and network policies",
            ) from error

    def _token(self) -> str:
        path = self._settings.account_dir / "token"
        try:
            return path.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise _unusable(f"{path} cannot be read: {error}") from error

    def _context(self) -> ssl.SSLContext:
        path = self._settings.account_dir / "ca.crt"
        try:
            return ssl.create_default_context(cafile=path)
        except OSError as error:
            raise _unusable(f"{path} cannot be used: {error}") from error

    def _refused(self, code: int, body: str) -> UnavailableError | FailedPreconditionError:
        try:
            said = str(json.loads(body)["message"])
        except (ValueError, TypeError, LookupError):
            said = body.strip()[:200]
        if code == 429 or code >= 500:
            return UnavailableError("KUBERNETES_UNAVAILABLE", f"{self._settings.api_url} answers {code}: {said}")
        return _unusable(f"{self._settings.api_url} answers {code}: {said}")


def _unusable(what: str) -> FailedPreconditionError:
    return FailedPreconditionError(
        "KUBERNETES_REFUSES",
        f"{what}; apply deploy/k8s/components/idle-first, which lets pods do this, or unset HEADSHOTS_POD_NAME",
    )
