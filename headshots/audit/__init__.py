"""Links the events of the audit log into chains, one a tenant, and verifies them."""
