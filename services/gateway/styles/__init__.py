"""Lists and finds the styles of the library."""
