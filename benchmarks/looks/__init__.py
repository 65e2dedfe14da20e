"""What people see of the platform: how good it looks, and what it says while they wait."""
