"""Tells KEDA how much work waits, so that generators and trainers come and go, to zero and back."""
