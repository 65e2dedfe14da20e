"""Makes what a run of the demo leaves: the gallery page, the contact sheet and the report."""
