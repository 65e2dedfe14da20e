"""Fetches models from a hub of the Hugging Face protocol, through ``huggingface_hub`` and its cache."""
