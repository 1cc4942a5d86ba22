"""An extension: a group of one member that counts the spikes of all cells; and one that no standalone device can do."""

import brian2 as b2


def count(network):
    cells = network["cells"]
    counter = b2.NeuronGroup(1, "n : 1", name="counter", clock=cells.clock)
    to_counter = b2.Synapses(cells, counter, on_pre="n_post += 1", name="to_counter", clock=cells.clock)
    to_counter.connect()
    network.add(counter, to_counter)


def in_python(network):
    @b2.network_operation(dt=1 * b2.ms, name="in_python")
    def nothing():
        pass

    network.add(nothing)


def reads_numbers(network):
    _ = network["cells"].a[:]
