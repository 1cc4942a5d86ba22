"""How the site is built: `make docs`, or `python -m sphinx -W --keep-going -n docs docs/_build/html`.

IZHIRES_DOCS=quick leaves out what simulates: the gallery's figures and the outputs of the notebooks.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed
from pathlib import Path

from docutils import nodes
from sphinx.util.nodes import make_refnode

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import reference_pages  # noqa: E402

project = "izhires"
author = "The izhires developers"
version = release = installed("izhires")
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "gallery", "auto_gallery/**/*.ipynb", "jupyter_execute", "**/.ipynb_checkpoints"]

quick = os.environ.get("IZHIRES_DOCS") == "quick"

# pages
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off" if quick else "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True
suppress_warnings = ["myst-nb.lexer"] if quick else []  # a notebook says its language when it is run
copybutton_prompt_text = "$ "

# the gallery: every script with a `plot_` before its name is run and its figures are taken
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": "/plot_",
    "plot_gallery": "False" if quick else "True",
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "subsection_order": [f"gallery/{each}" for each in ("start", "papers", "tasks", "own")],
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "capture_repr": ("_repr_html_",),  # what is printed, and tables; not that a legend was made
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "nested_sections": False,
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
}

# reference
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False
default_role = "py:obj"
add_module_names = False

# looks
html_theme = "pydata_sphinx_theme"
html_title = f"izhires {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "izhires"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_nav_level": 1,
    "navigation_depth": 3,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "pygments_light_style": "default",
    "pygments_dark_style": "github-dark",
}
html_sidebars = {"changelog": [], "start": []}
copyright = "The izhires developers, BSD-3-Clause"


def _resolve(app, env, node, contnode):
    """Find what a docstring names shortly; leave names of other packages, and of parameters, as they stand."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].lstrip(".~").removesuffix("()")
    found = reference_pages.home(target, env.domaindata["py"]["objects"], node.get("py:module") or "")
    if found:
        entry = env.domaindata["py"]["objects"][found]
        return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, found)
    if target.startswith("izhires.") and not reference_pages.exists(target):
        return None  # a name of this package that is not there: said, and so an error
    return nodes.literal(target, target) if not contnode.children else contnode


def setup(app):
    """Connect what makes the reference out of the code."""
    app.connect("builder-inited", lambda app: reference_pages.write(HERE / "reference"))
    # numpydoc looks for signatures in docstrings, where there are none, and stumbles over aliases of types
    for each in [*app.events.listeners["autodoc-process-signature"]]:
        if each.handler.__module__.startswith("numpydoc"):
            app.disconnect(each.id)
    app.connect("autodoc-process-signature", reference_pages.signature)
    app.connect("autodoc-process-bases", reference_pages.bases)
    app.connect("autodoc-skip-member", reference_pages.skip)
    app.connect("autodoc-process-docstring", reference_pages.tidy, priority=100)
    app.connect("autodoc-process-docstring", reference_pages.parameters, priority=900)
    app.connect("missing-reference", _resolve)
