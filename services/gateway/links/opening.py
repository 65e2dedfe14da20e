"""Sets links up as a gateway is told: served by itself, else signed by the object store, else not at all."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.rpc.internal.secret import Secret
from headshots.threads import in_read_thread
from services.gateway.audit.log import AuditLog
from services.gateway.links.engine import LinkEngine
from services.gateway.links.makers import LinkMaker, ServedLinks, StoreLinks
from services.gateway.links.server import LinkServer
from services.gateway.links.servicer import LinkServicer
from services.gateway.links.tokens import LinkTokens
from services.gateway.links.urls import LinksAddress
from services.gateway.tenants.ownership import is_shown


class Links:
    """Who answers the calls about links, and the links port where there is one."""

    def __init__(
        self, database: Engine, maker: LinkMaker | None, audit: AuditLog, server: LinkServer | None = None
    ) -> None:
        self.servicer = LinkServicer(LinkEngine(database, maker, audit))
        self._server = server

    async def stop(self) -> None:
        """Closes the links port."""
        if self._server is not None:
            await self._server.stop()


async def open_links(
    database: Engine, store: ArtifactStore, secret: Secret, address: LinksAddress, audit: AuditLog
) -> Links:
    """Starts the links port where there is one.

    Raises:
        UnavailableError: ADDRESS_IN_USE, ADDRESS_UNUSABLE.
    """
    if address.port is None:
        return Links(database, StoreLinks(store) if store.signs else None, audit)
    tokens = LinkTokens(secret)

    async def is_shown_now(key: str) -> bool:
        return await in_read_thread(is_shown, database, key)

    server = LinkServer(store, tokens, is_shown_now)
    port = await server.start(address.host, address.port)
    return Links(database, ServedLinks(address.url_of(port), tokens), audit, server)
