"""Shows teams: who is painted, how alike the portraits are, and which fall out."""
