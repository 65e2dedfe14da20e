"""Reads, checks, packs and writes LoRA adapters. Imports no torch."""
