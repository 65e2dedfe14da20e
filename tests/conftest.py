"""What holds for every test."""

from __future__ import annotations

import signal

# A shell starts background jobs with Ctrl-C ignored, and programs inherit that: tests that press Ctrl-C on a program of
# ours would wait for ever when the tests themselves run in the background.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
