"""Makes a foundation's folder of models as they are found: diffusers folders of any layout, and single files."""
