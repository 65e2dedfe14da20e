"""Measures of painted faces: whether they are the person, natural, regular and sharp. Pictures in, numbers out.

Nothing here trains, paints or keeps files; `benchmarks.training` does, and asks with what it has.
"""
