"""How the synapses of a connection change: one rule a file."""
