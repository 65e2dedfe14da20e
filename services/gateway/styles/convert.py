"""Converts styles to protobuf."""

from __future__ import annotations

from headshots.styles.recipe import Style
from headshots.v1 import styles_pb2
from services.gateway.api import names


def style(value: Style) -> styles_pb2.Style:
    """A style."""
    return styles_pb2.Style(
        name=names.style_name(value.name),
        display_name=value.display_name,
        description=value.description,
        version=value.version,
        outfit=value.outfit,
        backdrop=value.backdrop,
        lighting=value.lighting,
        framing=value.framing,
    )
