"""What `headshots doctor` looks at for a gateway."""
