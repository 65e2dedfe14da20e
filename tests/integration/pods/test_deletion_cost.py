"""A pod tells Kubernetes how much it works on, and does its work though nobody listens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from headshots.doctor.findings import State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from headshots.errors import FailedPreconditionError, UnavailableError
from headshots.pods import deletion_cost
from headshots.pods.api import PodApi
from headshots.pods.checking import pod_check
from headshots.pods.deletion_cost import ANNOTATION, DeletionCost
from headshots.pods.settings import PodSettings
from tests.support.certificates import Authority
from tests.support.kubernetes_api import FakeKubernetes
from tests.support.ports import free_port
from tests.support.waiting import until, until_equal

POD = "generator-7d9f-x2x4p"


@pytest.fixture
def work() -> list[int]:
    """How much the service works on; the test changes it."""
    return [0]


@pytest.fixture
def cost(kubernetes: FakeKubernetes, work: list[int]) -> Iterator[DeletionCost]:
    cost = DeletionCost(PodApi(kubernetes.settings(POD)), lambda: work[0], seconds=0.01)
    yield cost
    cost.stop()
    cost._thread.join()


async def test_it_tells_at_the_start_and_after_every_change_and_nothing_in_between(
    kubernetes: FakeKubernetes, work: list[int], cost: DeletionCost
) -> None:
    looks = 0

    def looked() -> int:
        nonlocal looks
        looks += 1
        return work[0]

    async def looked_thrice() -> None:
        before = looks
        await until(lambda: looks > before + 3)

    cost._work = looked
    cost.start()
    for following in (3, 1, 0):
        await until_equal(lambda: kubernetes.costs(POD)[-1:], [work[0]])
        await looked_thrice()
        work[0] = following
    await until(lambda: len(kubernetes.costs(POD)) >= 4)
    await looked_thrice()
    assert kubernetes.costs(POD) == [0, 3, 1, 0]


@pytest.mark.parametrize("status", [503, 403])
async def test_where_the_api_refuses_it_is_logged_once_and_told_when_it_is_back(
    kubernetes: FakeKubernetes, work: list[int], cost: DeletionCost, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO)
    cost.start()
    await until_equal(lambda: kubernetes.costs(POD), [0])
    kubernetes.status, work[0] = status, 2
    await until(lambda: kubernetes.refused >= 3)
    kubernetes.status = None
    await until_equal(lambda: kubernetes.costs(POD), [0, 2])
    await until(lambda: "the pod's deletion cost is told again" in caplog.messages)
    (warned,) = (record.message for record in caplog.records if record.levelno == logging.WARNING)
    assert "Kubernetes may take this pod while it works" in warned
    assert str(status) in warned


def test_an_api_that_is_away_or_strange_is_a_typed_error_with_the_cure(
    kubernetes: FakeKubernetes, tmp_path: Path
) -> None:
    away = PodSettings(POD, "headshots", kubernetes.folder, f"https://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match=r"KUBERNETES_UNAVAILABLE.*HEADSHOTS_POD_API_URL"):
        PodApi(away).annotate(ANNOTATION, "1")
    foreign = Authority.make(tmp_path / "foreign").issue(tmp_path / "other")
    (foreign / "token").write_text("t")
    with pytest.raises(UnavailableError, match=r"KUBERNETES_UNAVAILABLE.*certificate verify failed"):
        PodApi(PodSettings(POD, "headshots", foreign, kubernetes.url)).annotate(ANNOTATION, "1")
    kubernetes.says = b"no HTTP at all\r\n"
    with pytest.raises(UnavailableError, match=r"KUBERNETES_UNAVAILABLE.*no HTTP at all"):
        PodApi(kubernetes.settings(POD)).annotate(ANNOTATION, "1")
    kubernetes.annotated.clear()
    with pytest.raises(FailedPreconditionError, match=r"KUBERNETES_REFUSES.*nowhere/token.*components/idle-first"):
        PodApi(PodSettings(POD, "headshots", tmp_path / "nowhere", kubernetes.url)).annotate(ANNOTATION, "1")
    assert kubernetes.annotated == []


def test_a_token_that_was_renewed_is_taken(kubernetes: FakeKubernetes) -> None:
    api = PodApi(kubernetes.settings(POD))
    kubernetes.token = "renewed"
    with pytest.raises(FailedPreconditionError, match=r"KUBERNETES_REFUSES.*answers 401: pods is said 401"):
        api.annotate(ANNOTATION, "1")
    (kubernetes.folder / "token").write_text("renewed")
    api.annotate(ANNOTATION, "1")
    assert kubernetes.costs(POD) == [1]


def test_the_token_goes_through_no_proxy(kubernetes: FakeKubernetes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    PodApi(kubernetes.settings(POD)).annotate(ANNOTATION, "1")
    assert kubernetes.costs(POD) == [1]


def test_outside_a_pod_nobody_is_told() -> None:
    assert deletion_cost.begin(PodSettings.from_environment({}), lambda: 1) is None


def test_the_doctor_asks_whether_it_may_and_changes_nothing(kubernetes: FakeKubernetes) -> None:
    (found,) = run("generator", [pod_check(kubernetes.settings(POD))], Redactor({}))
    assert (found.state, kubernetes.annotated, len(kubernetes.dry_runs)) == (State.OK, [], 1)
    kubernetes.status = 403
    (found,) = run("generator", [pod_check(kubernetes.settings(POD))], Redactor({}))
    assert found.state is State.FAILED
    assert "answers 403" in found.seen
    assert "components/idle-first" in found.cure
    (found,) = run("generator", [pod_check(PodSettings())], Redactor({}))
    assert found.state is State.SKIPPED
