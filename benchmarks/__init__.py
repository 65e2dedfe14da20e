"""Speed and quality against what a team would write with stock diffusers and PEFT."""
