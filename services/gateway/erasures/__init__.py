"""Records erasures, and signs a receipt for each."""
