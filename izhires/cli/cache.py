"""``izhires cache``: the builds that are kept."""

from __future__ import annotations

from typing import Annotated

import typer

COMMAND = "cache"


def command(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all builds.")] = False,
) -> None:
    """List the builds that serve later runs, or remove them."""
    from izhires.devices.standalone import builds, cache_folder, remove_build

    found = builds()
    if clear:
        removed = [build for build in found if remove_build(build)]
        print(f"{len(removed)} builds removed, {sum(build.size for build in removed) / 1e6:.0f} MB")
        for build in found:
            if build not in removed:
                print(f"{build.folder.name} is being built now and stays")
        return
    for build in found:
        print(f"{build.folder.name}  {build.made}  {build.size / 1e6:6.1f} MB  {build.summary}")
    print(f"{len(found)} builds, {sum(build.size for build in found) / 1e6:.0f} MB in {cache_folder()}")
