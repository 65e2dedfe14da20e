"""Judges portraits: acceptance profiles, the person's own photos as the reference, verdicts, and the order of the best.

Imports numpy and Pillow only, no torch: the gateway judges with it what it delivers, the trainer its checkpoints.
"""

from headshots.acceptance.gate import Gate, Judged, against_accepted, against_source, not_measured
from headshots.acceptance.limits import AcceptanceLimits
from headshots.acceptance.profiles import BUILT_IN, PROFILE_WORTHY, STRICT, Profile
from headshots.acceptance.ranking import Candidate, ranked
from headshots.acceptance.reference import Reference, measure_reference
from headshots.acceptance.verdict import Acceptance, Check, Verdict
from headshots.acceptance.view import View

__all__ = [
    "BUILT_IN",
    "PROFILE_WORTHY",
    "STRICT",
    "Acceptance",
    "AcceptanceLimits",
    "Candidate",
    "Check",
    "Gate",
    "Judged",
    "Profile",
    "Reference",
    "Verdict",
    "View",
    "against_accepted",
    "against_source",
    "measure_reference",
    "not_measured",
    "ranked",
]
