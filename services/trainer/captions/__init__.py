"""Says what the rows of a training show: the subject's photos, scenes that no photo shows, and class images."""
