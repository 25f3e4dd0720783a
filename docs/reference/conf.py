"""The API reference: ``sphinx-build -W -n docs/reference FOLDER`` makes it from the docstrings."""

from numpydoc.xref import DEFAULT_LINKS

import intervalvm as ivm

project = "intervalvm"
author = copyright = "the intervalvm authors"
release = version = ivm.__version__
extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser"]
html_theme = "furo"

add_module_names = False
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
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
