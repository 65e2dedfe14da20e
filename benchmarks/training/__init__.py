"""How good a training is and how long it takes, on people whom nobody has trained on. See ``__main__``."""
