"""Converts protobuf messages to the SDK's dataclasses and back. Its callers only see dataclasses."""
