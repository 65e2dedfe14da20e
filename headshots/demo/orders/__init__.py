"""Orders what the demo shows: a shoot of one person, a remix of its best portrait, and a team in one look."""
