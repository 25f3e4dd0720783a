"""The API reference: ``sphinx-build -W -n docs/reference FOLDER`` makes it from the docstrings."""

from intervalvm import __version__

project = "intervalvm"
author = copyright = "the intervalvm authors"
release = version = __version__
extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser"]
html_theme = "furo"

add_module_names = False
autodoc_member_order = "bysource"
autodoc_type_aliases = {"Value": "Value", "TapeLike": "TapeLike"}
python_use_unqualified_type_names = True
numpydoc_show_class_members = False
nitpick_ignore_regex = [
    # Annotations name types of Python and NumPy, whose pages are not fetched, and types that are
    # not public. A reference to a public name is checked.
    ("py:.*", r"(?!intervalvm\.(shapes\.)?\w+$).*"),
]
