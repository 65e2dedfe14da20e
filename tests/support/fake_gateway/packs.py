"""Answers the calls about packs."""

from __future__ import annotations

from typing import Any

from headshots.errors import FailedPreconditionError
from headshots.v1 import packs_pb2
from tests.support.fake_gateway.state import FakeState, find, labelled, page

PACK = packs_pb2.Pack(
    name="packs/business",
    display_name="Business",
    description="Suits.",
    styles=[packs_pb2.PackStyle(style="styles/studio-navy-suit", shots=8)],
    total_shots=8,
    version=1,
    built_in=True,
)


class FakePacks(FakeState):
    """One built-in pack, and those that the tenant makes."""

    def __init__(self) -> None:
        super().__init__()
        self.packs = {PACK.name: PACK}

    async def CreatePack(self, request: packs_pb2.CreatePackRequest, context: Any) -> packs_pb2.CreatePackResponse:
        self.enter("CreatePack", request)
        pack = packs_pb2.Pack(
            name=f"packs/{request.pack_id}",
            display_name=request.display_name or request.pack_id,
            description=request.description,
            styles=request.styles,
            total_shots=sum(each.shots for each in request.styles),
            version=1,
            **labelled(request),
        )
        pack.create_time.GetCurrentTime()
        if not request.validate_only:
            self.packs[pack.name] = pack
        return packs_pb2.CreatePackResponse(pack=pack)

    async def ListPacks(self, request: packs_pb2.ListPacksRequest, context: Any) -> packs_pb2.ListPacksResponse:
        self.enter("ListPacks", request)
        shown = [each for each in self.packs.values() if request.include_archived or not each.archived]
        items, token = page(sorted(shown, key=lambda pack: str(pack.name)), request)
        return packs_pb2.ListPacksResponse(packs=items, next_page_token=token)

    async def GetPack(self, request: packs_pb2.GetPackRequest, context: Any) -> packs_pb2.GetPackResponse:
        self.enter("GetPack", request)
        return packs_pb2.GetPackResponse(pack=find(self.packs, request.name, "PACK_NOT_FOUND"))

    async def UpdatePack(self, request: packs_pb2.UpdatePackRequest, context: Any) -> packs_pb2.UpdatePackResponse:
        self.enter("UpdatePack", request)
        changed = packs_pb2.Pack()
        changed.CopyFrom(self._own_pack(request.name))
        changed.version += 1
        if request.HasField("styles"):
            del changed.styles[:]
            changed.styles.extend(request.styles.styles)
            changed.total_shots = sum(each.shots for each in changed.styles)
        if request.HasField("display_name"):
            changed.display_name = request.display_name
        if request.HasField("description"):
            changed.description = request.description
        if not request.validate_only:
            self.packs[request.name] = changed
        return packs_pb2.UpdatePackResponse(pack=changed)

    async def ArchivePack(self, request: packs_pb2.ArchivePackRequest, context: Any) -> packs_pb2.ArchivePackResponse:
        self.enter("ArchivePack", request)
        self._own_pack(request.name).archived = True
        return packs_pb2.ArchivePackResponse(pack=self.packs[request.name])

    def _own_pack(self, name: str) -> packs_pb2.Pack:
        pack: packs_pb2.Pack = find(self.packs, name, "PACK_NOT_FOUND")
        if pack.built_in:
            raise FailedPreconditionError("PACK_BUILT_IN", f"{name} is built in", metadata={"name": name})
        return pack
