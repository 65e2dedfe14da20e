"""Calls the generators: finds the replicas, asks what they have, sends each request where it is best."""
