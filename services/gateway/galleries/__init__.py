"""Galleries and their shots: ordered, leased, settled, watched."""
