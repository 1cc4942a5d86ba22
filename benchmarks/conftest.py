"""Options of the benchmarks that pytest runs."""


def pytest_addoption(parser):
    """Add what the benchmarks ask."""
    parser.addoption("--claims", action="store_true", help="time izhires reproduce, too")
