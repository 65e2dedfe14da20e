"""Says until when the people of tests are kept."""

from __future__ import annotations

import datetime

from google.protobuf import timestamp_pb2

IN_A_YEAR = timestamp_pb2.Timestamp()
"""Later than anybody is kept by default, and as long as anybody may be."""
IN_A_YEAR.FromDatetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=365))
