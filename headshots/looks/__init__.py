"""Makes portraits of a team look alike: the frame that they are cut to, what is measured of each, who falls out.

Numpy and Pillow only; an analyzer finds the faces.
"""
