"""Says what the people of tests agreed to."""

from __future__ import annotations

from headshots.client import Consent
from headshots.client.convert.subjects import wire_consent
from headshots.v1 import subjects_pb2
from services.gateway.consents import convert

CONSENT = Consent("Portraits of me may be made.", "1")
"""As a client of the SDK gives it."""
MESSAGE = wire_consent(CONSENT) or subjects_pb2.Consent()
"""The same over gRPC."""
GIVEN = convert.given(MESSAGE)
"""The same in the gateway."""
