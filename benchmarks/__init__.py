"""Speed and quality against what a team would write with stock diffusers and PEFT."""

import os

# In every process of a benchmark, and before transformers is imported, which would tell each time that torchvision is
# not there. Nothing here needs it.
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
# Nor bars of weights that are loaded, between the lines of a run that takes an hour.
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
