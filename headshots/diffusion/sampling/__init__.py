"""Makes samplers' tables of coefficients, and the noise that they start from. Imports no torch."""
