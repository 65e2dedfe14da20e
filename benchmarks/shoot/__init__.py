"""What a shoot promises: accepted portraits of the right person, the best first, through kills, at no extra time."""
