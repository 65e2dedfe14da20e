"""An object store is tried with an object of the check's own, of which nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from headshots.doctor.findings import Finding, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from headshots.doctor.stores import store_check
from headshots.errors import UnavailableError
from tests.support.ports import free_port


def looked_at(url: str) -> Finding:
    check = store_check("object store", url, "HEADSHOTS_STORE_URL")
    (found,) = run("gateway", [check], Redactor({}))
    return Finding(found.state, found.seen, found.cure)


def test_all_four_work_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    found = looked_at(tmp_path.as_uri())
    assert (found.state, found.seen) == (State.OK, f"put, get, list and delete work: {tmp_path.as_uri()}")
    assert [path.name for path in tmp_path.rglob("*")] == ["tenants"]


def test_a_folder_that_the_first_start_makes_is_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "objects"
    found = looked_at(folder.as_uri())
    assert found.state is State.OK
    assert "is not there yet; the first start makes" in found.seen
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("method", "said"),
    [("put_sync", "put: "), ("get_sync", "get: "), ("list_sync", "list: "), ("delete_sync", "delete: ")],
)
def test_what_the_store_refuses_is_told_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, said: str
) -> None:
    def refuse(*_: object) -> None:
        raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "try again") from OSError("AccessDenied")

    with monkeypatch.context() as patched:
        patched.setattr(ArtifactStore, method, refuse)
        found = looked_at(tmp_path.as_uri())
    assert found.state is State.FAILED
    assert found.seen.startswith(f"{said}OBJECT_STORE_UNAVAILABLE: AccessDenied")
    assert "see that HEADSHOTS_STORE_URL is right" in found.cure
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(left) == (method == "delete_sync"), "what could be removed was removed"
    if left:
        assert f"remove {left[0].relative_to(tmp_path)} by hand" in found.seen


@pytest.mark.parametrize(("method", "value"), [("get_sync", b"other"), ("list_sync", [])])
def test_a_store_that_answers_wrongly_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, value: object
) -> None:
    monkeypatch.setattr(ArtifactStore, method, lambda *_: value)
    assert looked_at(tmp_path.as_uri()).state is State.FAILED


def test_a_store_whose_deletes_do_nothing_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for method in ("delete_sync", "delete_prefix_sync"):
        monkeypatch.setattr(ArtifactStore, method, lambda *_: None)
    found = looked_at(tmp_path.as_uri())
    assert found.state is State.FAILED
    assert found.seen.endswith("is still there")


def test_a_bucket_that_nobody_answers_for_is_told_with_what_kept_it_from_answering(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setattr("headshots.doctor.stores._PATIENCE_SECONDS", 0.5)
    monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{port}")
    for name, value in {"AWS_ALLOW_HTTP": "true", "AWS_REGION": "x", "AWS_ACCESS_KEY_ID": "a"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    found = looked_at("s3://bucket/prefix")
    assert found.state is State.FAILED
    assert found.seen.startswith("put: OBJECT_STORE_UNAVAILABLE: ")
    assert str(port) in found.seen
    assert "Connection refused" in found.seen
    assert "Debug source" not in found.seen
    assert "geheim" not in found.seen


def test_no_url_of_a_store_is_a_failure() -> None:
    found = looked_at("ftp://ada:geheim@host/x")
    assert found.state is State.FAILED
    assert found.seen.startswith("STORE_URL_INVALID")
    assert "geheim" not in found.seen
