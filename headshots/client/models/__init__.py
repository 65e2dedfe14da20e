"""Defines what the SDK hands out: frozen dataclasses, one for each noun of the contract.

Times are aware UTC datetimes, durations are seconds as floats, `None` means "not there (yet)".
"""
