"""One run of a training: the child process, its messages, its preparation, and its checkpoints."""
