"""Decodes photos in processes of their own, with limits on memory and time, that can be killed."""
