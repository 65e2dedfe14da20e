"""What lies in the object store beside objects of tenants, and what local ones need beyond obstore."""
