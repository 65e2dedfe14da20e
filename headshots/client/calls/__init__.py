"""Groups the SDK's calls by resource, one module for each service of the contract."""
