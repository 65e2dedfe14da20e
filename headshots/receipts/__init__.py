"""Writes and verifies receipts of erasures: canonical JSON, Merkle trees of commitments, Ed25519 signatures, chains."""
