"""Creates, finds, watches and cancels galleries, and leases their shots to workers."""
