"""CPUs are counted by affinity and by the quotas of control groups, of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.processes.cpus import usable_cpus


@pytest.fixture(autouse=True)
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)


def counted(folder: Path, own: str, files: dict[str, str]) -> int:
    """CPUs where control groups have these files, and the kernel tells this of ours."""
    (folder / "own").write_text(own)
    for name, text in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return usable_cpus(folder / "groups", folder / "own")


@pytest.mark.parametrize(
    ("own", "files", "cpus"),
    [
        ("", {}, 8),
        ("0::/\n", {}, 8),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 50000\n"}, 3),
        ("0::/\n", {"cpu.max": "10000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "9900000 100000\n"}, 8),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "max 100000\n"}, 3),
        ("0::/a/b\n", {"a/cpu.max": "600000 100000\n", "a/b/cpu.max": "500000 100000\n"}, 5),
        ("0::/kubepods/x\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/../../x\n", {"cpu.max": "200000 100000\n"}, 2),
        ("3:cpu,cpuacct:/\n2:memory:/\n", {"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ("3:cpuset:/\n", {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
    ],
)
def test_a_quota_counts_where_it_is_less_than_the_cpus(
    tmp_path: Path, own: str, files: dict[str, str], cpus: int
) -> None:
    assert counted(tmp_path, own, files) == cpus


def test_affinity_counts_where_there_is_no_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert counted(tmp_path, "0::/\n", {}) == 3
