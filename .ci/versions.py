"""Print the versions of Python and of what decides over results in this environment, in one line."""

import platform
from importlib.metadata import PackageNotFoundError, version

NAMES = """
    brian2 brian2cuda numpy scipy pandas xarray netCDF4 pydantic statsmodels matplotlib seaborn typer pyhgf jax elephant
    neo pynapple pynwb SALib distributed dask-jobqueue nvidia-curand pytest
"""


def found(name: str) -> str:
    """Return name and version of a package, nothing where it is not installed."""
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


print(f"    Python {platform.python_version()},", ", ".join(filter(None, map(found, NAMES.split()))))
