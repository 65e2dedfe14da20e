"""Working on shots: a pool of workers that call generators, and the likeness of what comes out."""
