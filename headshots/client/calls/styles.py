"""Calls the gateway about the style library."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import styles as convert
from headshots.client.convert.labels import wire_labelling
from headshots.client.models.labels import Labelling
from headshots.client.models.styles import Style, StylePreview, StyleRecipe
from headshots.client.models.subjects import SubjectRef
from headshots.client.names import Kind, resource_name
from headshots.v1 import styles_pb2


class StyleCalls(Connection):
    """Prompt recipes to paint with: built-in ones and the tenant's own."""

    async def create_style(
        self,
        style_id: str,
        recipe: StyleRecipe,
        *,
        display_name: str = "",
        description: str = "",
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Style:
        """Make a style of the tenant's own, usable at once.

        Args:
            style_id: the last part of its name, 1 to 64 characters of a-z, 0-9 and -.
            recipe: what it says.
            display_name: for people, at most 256 characters; default `style_id`.
            description: one sentence, at most 256 characters.
            labelling: labels and an external id of your own.
            request_id: the same id with the same arguments answers the same style; default a new one.
            validate_only: check everything and make nothing.

        Raises:
            AlreadyExistsError: a style has that name.
            InvalidArgumentError: the recipe is not whole, its prompt too long, its size or its words beyond the
                foundation.
        """
        request = styles_pb2.CreateStyleRequest(
            style_id=style_id,
            display_name=display_name,
            description=description,
            recipe=convert.wire_recipe(recipe),
            request_id=request_id or new_request_id(),
            **wire_labelling(labelling),
            validate_only=validate_only,
        )
        return convert.style((await self._unary("CreateStyle", request)).style)

    async def list_styles(
        self, *, labelling: Labelling | None = None, page_size: int = 0, include_archived: bool = False
    ) -> AsyncIterator[Style]:
        """The style library, by name, each in its newest version."""
        request = styles_pb2.ListStylesRequest(
            page_size=page_size, include_archived=include_archived, **wire_labelling(labelling)
        )
        async for item in self._pages("ListStyles", request, "styles"):
            yield convert.style(item)

    async def get_style(self, style: Style | str, *, version: int = 0) -> Style:
        """One style, by `styles/{style}` or its bare id; version 0 is the newest.

        Raises:
            NotFoundError: no such style, or no such version of it.
        """
        request = styles_pb2.GetStyleRequest(name=resource_name(style, Kind.STYLE), version=version)
        return convert.style((await self._unary("GetStyle", request)).style)

    async def update_style(
        self,
        style: Style | str,
        *,
        recipe: StyleRecipe | None = None,
        display_name: str | None = None,
        description: str | None = None,
        validate_only: bool = False,
    ) -> Style:
        """Make a new version of a style of the tenant's own; what is None stays as it is. Galleries keep theirs.

        Raises:
            NotFoundError: no such style.
            FailedPreconditionError: it is built in, or archived.
            InvalidArgumentError: as `create_style`.
        """
        request = styles_pb2.UpdateStyleRequest(
            name=resource_name(style, Kind.STYLE),
            recipe=convert.wire_recipe(recipe),
            display_name=display_name,
            description=description,
            validate_only=validate_only,
        )
        return convert.style((await self._unary("UpdateStyle", request)).style)

    async def archive_style(self, style: Style | str) -> Style:
        """Take a style of the tenant's own out of use. There is no way back; galleries that have it keep it.

        Raises:
            NotFoundError: no such style.
            FailedPreconditionError: it is built in.
        """
        request = styles_pb2.ArchiveStyleRequest(name=resource_name(style, Kind.STYLE))
        return convert.style((await self._unary("ArchiveStyle", request)).style)

    async def preview_style(
        self, style: Style | str, *, version: int = 0, subject: SubjectRef | None = None, class_noun: str = ""
    ) -> StylePreview:
        """The prompt that a style becomes for a subject, or for a class noun (default "person"); paints nothing.

        Raises:
            NotFoundError: no such style, version or subject.
            InvalidArgumentError: the foundation cannot paint its size.
            UnavailableError: no generator answers.
            FailedPreconditionError: FOUNDATION_NOT_SERVED: no generator has the foundation now.
        """
        request = styles_pb2.PreviewStyleRequest(
            name=resource_name(style, Kind.STYLE),
            version=version,
            subject=resource_name(subject, Kind.SUBJECT) if subject is not None else "",
            class_noun=class_noun,
        )
        return convert.preview(await self._unary("PreviewStyle", request))
