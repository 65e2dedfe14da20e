"""Photos: received, inspected, stored, listed."""
