"""Circuits: how the cells of a reservoir are wired. One circuit a file.

``grown``
    weak random synapses that became a sequence before the task, by plasticity alone.
``sequence``
    groups of cells that excite the next group (a synfire chain: time cells by construction); the default.
``random``
    the same number of random synapses for every cell, as the paper describes it.
``unconnected``
    no synapses at all: the control for what recurrence adds.
"""
