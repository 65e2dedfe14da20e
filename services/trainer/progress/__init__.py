"""What a running training does now, and how long that and the rest will take."""
