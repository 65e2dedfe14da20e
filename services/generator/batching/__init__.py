"""Which images are denoised next, and the loop that denoises them together."""
