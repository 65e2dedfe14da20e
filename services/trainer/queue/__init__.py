"""The queue: jobs, their rows in the database, fair share among tenants, queue positions, and wake-ups."""
