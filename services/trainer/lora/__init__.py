"""LoRA training: the recipe, the training data, the objective, and the optimizer loop on the frozen base."""
