"""The workers: they claim jobs, run each in a child process, and write its outcome under the lease."""
