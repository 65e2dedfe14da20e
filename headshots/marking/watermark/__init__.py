"""An imperceptible watermark that carries 64 bits and outlives re-encoding, scaling, stretching and cropping."""
