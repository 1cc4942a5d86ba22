"""Doing runs: one, many, in worker processes, within what the machine has; and runs as projects of their own."""
