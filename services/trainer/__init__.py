"""The trainer: a service that trains LoRA adapters from photos."""
