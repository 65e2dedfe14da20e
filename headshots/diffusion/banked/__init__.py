"""The UNet that takes each row's adapter from a bank: torch modules that the export traces."""
