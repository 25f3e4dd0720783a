"""The site: ``sphinx-build -W -n -q docs FOLDER`` makes it, and fetches nothing.

Notebooks and examples are run anew, so that every picture on their pages is made by the code beside
it. ``_extensions/`` has what is not a library's: pages of examples, and a check of what was built.
"""

import sys
from pathlib import Path

from numpydoc.xref import DEFAULT_LINKS
from sphinx.application import Sphinx

import intervalvm as ivm

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "intervalvm"
author = copyright = "the intervalvm authors"
release = version = ivm.__version__
extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
    "check_site",
    "run_example",
]
exclude_patterns = ["_extensions"]

# --- how it looks ---------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = project
html_favicon = "gallery/gear.png"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": project},
    "show_nav_level": 2,
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "friendly",
    "pygments_dark_style": "monokai",
}
html_context = {"default_mode": "auto"}
html_sidebars = {"index": [], "tutorial": [], "changes": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

# --- pages ----------------------------------------------------------------------------------------

myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_execution_timeout = 600  # kernels may have to be compiled
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # they would be fetched from elsewhere

# --- the reference --------------------------------------------------------------------------------

add_module_names = False
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
numpydoc_show_class_members = False
numpydoc_xref_param_type = True
numpydoc_xref_aliases = {word: word for word in DEFAULT_LINKS} | {
    name: f"{module.__name__}.{name}"
    for module in (ivm, ivm.shapes)
    for name in module.__all__
    if isinstance(getattr(module, name), type)
}
numpydoc_xref_ignore = "all"  # other words of a type are no references
nitpick_ignore_regex = [
    # Annotations name types of Python and NumPy, whose pages are not fetched, and types that are
    # not public. A reference to a public name is checked.
    ("py:.*", r"(?!intervalvm\.(shapes\.)?\w+$).*"),
]


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", keep_pictures_inside, priority=900)  # after that of myst_nb


def keep_pictures_inside(app: Sphinx) -> None:
    """Pictures of notebooks would be written beside the folder of the site."""
    folder = str(Path(app.doctreedir) / "notebooks")
    app.env.mystnb_config = app.env.mystnb_config.copy(output_folder=folder)
