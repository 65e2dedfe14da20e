"""The generator: serves many subjects' adapters in one batch."""
