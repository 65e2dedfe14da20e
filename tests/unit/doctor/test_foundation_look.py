"""What is imported at the first start is told by the doctor as such, and looked at once it is there."""

from __future__ import annotations

from pathlib import Path

from headshots.diffusion.importing.importer import import_foundation
from headshots.doctor.findings import Finding, State, ok
from headshots.doctor.models import FoundationLook
from tests.support.foundations.paper import paper_pipeline, paper_weights


def test_a_foundation_that_has_to_be_imported(tmp_path: Path) -> None:
    source, cache = tmp_path / "model", tmp_path / "home" / "foundations"
    files = paper_pipeline()
    files["unet/diffusion_pytorch_model.fp16.safetensors"] = files.pop("unet/diffusion_pytorch_model.safetensors")
    for name, data in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    look = FoundationLook(source, cache)
    found = look.checks[0].look()
    assert isinstance(found, Finding)
    assert (found.state, found.seen.partition(",")[0]) == (State.OK, f"the import of {source}")
    assert f"the first start makes {cache}/model-" in found.seen
    assert look.with_folder(lambda folder: ok(str(folder))).state is State.SKIPPED
    assert not cache.exists()

    import_foundation(source, look.place.folder)
    after = FoundationLook(source, cache)
    whole = after.checks[0].look()
    assert isinstance(whole, Finding)
    assert whole.seen.endswith(f": {look.place.folder}")
    assert after.with_folder(lambda folder: ok(str(folder))).seen == str(look.place.folder)

    (source / "unet/diffusion_pytorch_model.fp16.safetensors").write_bytes(paper_weights("other"))
    assert not FoundationLook(source, cache).place.is_there, "another model by the same name"
