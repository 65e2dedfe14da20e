"""Pages quote the figures that the kept results have, and no others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import published
from benchmarks.published import PublishedError, misquoted, said, with_tables


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the results."""
    return Path(shutil.copytree(published.RESULTS, tmp_path / "results"))


def test_every_page_has_the_figures_of_the_kept_results(capsys: pytest.CaptureFixture[str]) -> None:
    assert published.main([]) == 0, capsys.readouterr().err
    text = published.PAGE.read_text()
    assert all(f"<!-- figures: {name} -->" in text for name in published.TARGETS)


def test_a_table_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "figures.md"
    page.write_text("Before.\n<!-- figures: gateway -->\n| `routing_p99_us` | 3 |\n<!-- end -->\nAfter.\n")
    monkeypatch.setattr(published, "PAGE", page)
    assert published.main([]) == 1
    assert "`routing_p99_us` | 3 |" in page.read_text(), "only when it is asked for"
    assert published.main(["--write"]) == 0
    assert published.main([]) == 0
    text = page.read_text()
    measured = published.published("gateway")
    assert f"| `routing_p99_us` | {said(measured['figures']['routing_p99_us'])} |" in text
    assert measured["revision"][:12] in text
    assert text.startswith("Before.\n<!--")
    assert text.endswith("<!-- end -->\nAfter.\n")


def test_a_page_that_quotes_another_value_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = {"gateway": published.published("gateway")}
    value = said(results["gateway"]["figures"]["moved_on_scale_up"])
    assert misquoted(f"| adapters that move (`moved_on_scale_up`) | {value} | |", results) == []
    assert misquoted("| adapters that move (`moved_on_scale_up`) | 0.1 | |", results) == [
        f"`moved_on_scale_up` is {value} and not 0.1"
    ]
    assert misquoted("| ours (`images_a_second`) | 9 | |", results) == ["`images_a_second` is no figure and not 9"]
    readme = tmp_path / "README.md"
    readme.write_text("| adapters that move (`moved_on_scale_up`) | 0.1 | |\n")
    monkeypatch.setattr(published, "README", readme)
    assert published.main([]) == 1
    assert f"README.md: `moved_on_scale_up` is {value} and not 0.1" in capsys.readouterr().err


def test_there_is_one_result_of_each_benchmark_with_the_figures_of_today(folder: Path) -> None:
    (file,) = folder.glob("gateway-cpu-*.json")
    shutil.copy(file, folder / "gateway-cpu-2031-01-01.json")
    with pytest.raises(PublishedError, match=r"has 2 files gateway-cpu-DATE\.json, not one"):
        published.published("gateway", folder)
    file.unlink()
    older = json.loads((folder / "gateway-cpu-2031-01-01.json").read_text())
    del older["figures"]["noisy_neighbour"]
    (folder / "gateway-cpu-2031-01-01.json").write_text(json.dumps(older))
    with pytest.raises(PublishedError, match="other figures than make bench-gateway"):
        published.published("gateway", folder)


def test_serving_and_trainings_are_of_one_revision_as_it_was_committed() -> None:
    serving, training = (str(published.published(name)["revision"]) for name in ("serving", "training"))
    assert serving == training
    assert "dirty" not in serving


def test_figures_are_quoted_with_three_digits_and_their_spread() -> None:
    assert [said(value) for value in (0.65428, 1.0674, 104.28, 2.0, 0.0, None)] == [
        "0.654",
        "1.07",
        "104",
        "2",
        "0",
        "not measured",
    ]
    result = {**published.published("gateway"), "spread": {"slot_hit_rate": [0.91, 0.96123]}}
    made = with_tables("<!-- figures: gateway -->\n<!-- end -->", {"gateway": result})
    assert "| `slot_hit_rate` | 0.955 | 0.91 to 0.961 | ≥ 0.94 | met |" in made
    assert "| `unary_p99_ms` | 76.3 |  | ≤ 15 | **missed** |" in made
