"""Traces and logs: spans, what ties them and log lines to the call they are for, and settings. See decision 40.

Nothing of OpenTelemetry is imported before it is switched on; only :mod:`.otel` and :mod:`.sending` import it.
"""
