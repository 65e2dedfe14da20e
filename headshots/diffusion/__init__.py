"""Everything that paints: foundations, adapters, schedules, the export and the run time's backends.

``foundation``, ``lora``, ``layout``, ``package``, ``schedule``, ``text`` and ``backends`` import no torch and are all
that the generator needs at run time; ``banked`` and ``export`` need torch and diffusers.
"""
