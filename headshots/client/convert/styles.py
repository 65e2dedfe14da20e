"""Converts styles from protobuf."""

from __future__ import annotations

from headshots.client.models.styles import Style
from headshots.v1 import styles_pb2


def style(message: styles_pb2.Style) -> Style:
    """A style."""
    return Style(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        version=message.version,
        outfit=message.outfit,
        backdrop=message.backdrop,
        lighting=message.lighting,
        framing=message.framing,
    )
