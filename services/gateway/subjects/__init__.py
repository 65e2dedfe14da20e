"""Creates, finds, lists and erases subjects."""
