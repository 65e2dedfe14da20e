"""What the platform promises of people's pictures, measured."""
