"""``izhires cache``: the builds that are kept, and the networks that developed."""

from __future__ import annotations

from typing import Annotated

import typer

COMMAND = "cache"


def command(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all of them.")] = False,
) -> None:
    """List the builds that serve later runs, and say how many developed networks there are; or remove them."""
    from izhires.circuits.development import folder
    from izhires.devices.standalone import builds, cache_folder, remove_build

    found = builds()
    networks = sorted(folder().glob("*.npz"))
    size = sum(path.stat().st_size for path in networks) / 1e6
    if clear:
        removed = [build for build in found if remove_build(build)]
        print(f"{len(removed)} builds removed, {sum(build.size for build in removed) / 1e6:.0f} MB")
        for build in found:
            if build not in removed:
                print(f"{build.folder.name} is being built now and stays")
        for path in networks:
            path.unlink(missing_ok=True)
        if networks:
            print(f"{len(networks)} developed networks removed, {size:.0f} MB")
        return
    for build in found:
        print(f"{build.folder.name}  {build.made}  {build.size / 1e6:6.1f} MB  {build.summary}")
    print(f"{len(found)} builds, {sum(build.size for build in found) / 1e6:.0f} MB in {cache_folder()}")
    if networks:
        print(f"{len(networks)} developed networks, {size:.0f} MB in {folder()}")
