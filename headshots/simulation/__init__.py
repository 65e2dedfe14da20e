"""Replays a day of shoots against a policy: what it would cost, and who would wait how long. Only time is made up."""
