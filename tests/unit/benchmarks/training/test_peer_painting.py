"""The peer's adapter is painted as suits it best, not as suits ours."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.training import work
from benchmarks.training.engine import Guidance
from benchmarks.training.peer import PLAIN
from benchmarks.training.plan import Plan
from headshots.settings import default_foundation


def test_the_guidance_by_which_it_is_likeliest_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    likeness = {None: 0.5, Guidance(1.5, 0.5): 0.7, Guidance(2.5, 0.5): 0.6}
    trainer = SimpleNamespace(run_for=lambda seconds: int(10 * seconds), adapter=lambda _: b"adapter")
    monkeypatch.setattr(work, "Peer", lambda *_: trainer)
    monkeypatch.setattr(work, "photo_files", lambda *_: [])
    monkeypatch.setattr(work.painting, "portraits", lambda _plan, _person, _adapter, guidance: guidance)

    def judged(_plan: Plan, _person: int, guidance: Any, sheet: str) -> dict[str, Any]:
        return {"likeness": likeness.get(guidance, 0.1), "sheet": sheet}

    monkeypatch.setattr(work, "judged", judged)
    found = work.peer(Plan(default_foundation(), tmp_path), 3, 4.0, PLAIN)
    assert (found["seconds"], found["steps"], found["tuning"]) == (4.0, 40, PLAIN.name)
    assert (found["likeness"], found["painted"]) == (0.7, str(Guidance(1.5, 0.5)))
    assert found["likeness_painted"]["as ours"] == 0.5
    assert len(found["likeness_painted"]) == len(work.PEERS_GUIDANCE)
    assert found["sheet"] == "03-peer-1.jpg"
