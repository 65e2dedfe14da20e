"""Calls the gateway about packs of styles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import packs as convert
from headshots.client.convert.labels import wire_labelling
from headshots.client.models.labels import Labelling
from headshots.client.models.packs import Pack
from headshots.client.models.styles import Style
from headshots.client.names import Kind, resource_name
from headshots.v1 import packs_pb2


class PackCalls(Connection):
    """What orders can be made of at once."""

    async def create_pack(
        self,
        pack_id: str,
        styles: Mapping[Style | str, int],
        *,
        display_name: str = "",
        description: str = "",
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Pack:
        """Make a pack of the tenant's own, usable at once.

        Args:
            pack_id: the last part of its name, 1 to 64 characters of a-z, 0-9 and -.
            styles: how many shots of each style, 1 to 64, in the order to order them, as {"studio-navy-suit": 8}; 1 to
                32 styles, at most 160 shots in all.
            display_name: for people, at most 256 characters; default `pack_id`.
            description: one sentence, at most 256 characters.
            labelling: labels and an external id of your own.
            request_id: the same id with the same arguments answers the same pack; default a new one.
            validate_only: check everything and make nothing.

        Raises:
            AlreadyExistsError: a pack has that name.
            InvalidArgumentError: no style at all, one that there is not, or too many shots.
            FailedPreconditionError: a style is archived.
        """
        request = packs_pb2.CreatePackRequest(
            pack_id=pack_id,
            display_name=display_name,
            description=description,
            styles=convert.wire_styles(styles),
            request_id=request_id or new_request_id(),
            **wire_labelling(labelling),
            validate_only=validate_only,
        )
        return convert.pack((await self._unary("CreatePack", request)).pack)

    async def list_packs(
        self, *, labelling: Labelling | None = None, page_size: int = 0, include_archived: bool = False
    ) -> AsyncIterator[Pack]:
        """The built-in packs and the tenant's own, by name, each in its newest version."""
        request = packs_pb2.ListPacksRequest(
            page_size=page_size, include_archived=include_archived, **wire_labelling(labelling)
        )
        async for item in self._pages("ListPacks", request, "packs"):
            yield convert.pack(item)

    async def get_pack(self, pack: Pack | str, *, version: int = 0) -> Pack:
        """One pack, by `packs/{pack}` or its bare id; version 0 is the newest.

        Raises:
            NotFoundError: no such pack, or no such version of it.
        """
        request = packs_pb2.GetPackRequest(name=resource_name(pack, Kind.PACK), version=version)
        return convert.pack((await self._unary("GetPack", request)).pack)

    async def update_pack(
        self,
        pack: Pack | str,
        *,
        styles: Mapping[Style | str, int] | None = None,
        display_name: str | None = None,
        description: str | None = None,
        validate_only: bool = False,
    ) -> Pack:
        """Make a new version of a pack of the tenant's own; what is None stays as it is. Shoots keep theirs.

        Raises:
            NotFoundError: no such pack.
            FailedPreconditionError: it is built in, or archived; or one of the styles is archived.
            InvalidArgumentError: as `create_pack`.
        """
        given = None if styles is None else packs_pb2.PackStyles(styles=convert.wire_styles(styles))
        request = packs_pb2.UpdatePackRequest(
            name=resource_name(pack, Kind.PACK),
            styles=given,
            display_name=display_name,
            description=description,
            validate_only=validate_only,
        )
        return convert.pack((await self._unary("UpdatePack", request)).pack)

    async def archive_pack(self, pack: Pack | str) -> Pack:
        """Take a pack of the tenant's own out of use. There is no way back; shoots that were made with it go on.

        Raises:
            NotFoundError: no such pack.
            FailedPreconditionError: it is built in.
        """
        request = packs_pb2.ArchivePackRequest(name=resource_name(pack, Kind.PACK))
        return convert.pack((await self._unary("ArchivePack", request)).pack)
