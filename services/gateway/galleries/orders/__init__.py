"""Looks up what orders of galleries name, and makes orders of galleries that replace an image."""
