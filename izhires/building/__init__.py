"""From a declaration to a Brian2 network: typed parts, the plan that lists them, and the build."""
