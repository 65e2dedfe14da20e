"""Makes foundations of single safetensors files, as models of the two families are mostly spread."""
