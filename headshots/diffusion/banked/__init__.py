"""Changes a UNet to take each row's adapter from a bank: torch modules that the export traces."""
