"""Orders portraits of several people in one look, follows them, and has painted again what falls out."""
