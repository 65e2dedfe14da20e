"""Closes the ports between our services: signed grants for every call, and mutual TLS."""
