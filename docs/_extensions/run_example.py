"""A directive ``example NAME``: a script of ``examples/`` and what it makes.

The script is run in a folder of the build, as a user runs it. The page shows what its docstring
says, the picture that it writes, its other files to download, and its code. A script that writes no
picture is shown by that of the gallery.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils.parsers.rst.directives import unchanged
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

TOP = Path(__file__).resolve().parents[2]
SECONDS = 600  # kernels may have to be compiled
PAGE = """{text}

![{name}]({picture}){{width=480px}}

Run `python examples/{name}.py`. It is {lines} lines long, and writes {files}.

```{{literalinclude}} {script}
:language: python
```
"""


class Example(SphinxDirective):
    """Run a script, and show it as text of the page's own language."""

    required_arguments = 1
    option_spec = {"arguments": unchanged}  # noqa: RUF012  # as docutils declares it

    def run(self) -> list[nodes.Node]:
        (name,) = self.arguments
        script = TOP / "examples" / f"{name}.py"
        self.env.note_dependency(str(script))
        folder = Path(self.env.doctreedir) / "examples" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.execute(script, folder)
        source = script.read_text(encoding="utf-8")
        written = sorted(folder.iterdir())
        picture = folder / f"{name}.png"
        if picture not in written:
            picture = TOP / "docs" / "gallery" / picture.name
        text = PAGE.format(
            text=ast.get_docstring(ast.parse(source)),
            name=name,
            picture=self.path_to(picture),
            files=", ".join(
                f"{{download}}`{file.name} <{self.path_to(file)}>`" for file in written
            ),
            lines=len(source.splitlines()),
            script=self.path_to(script),
        )
        return self.parse_text_to_nodes(text)

    def execute(self, script: Path, folder: Path) -> None:
        words = self.options.get("arguments", "").split()
        done = subprocess.run(
            [sys.executable, str(script), *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise self.severe(f"{script.name} fails: {done.stderr.strip()}")

    def path_to(self, file: Path) -> str:
        """Seen from the page, as links are."""
        return Path(
            os.path.relpath(file, Path(self.env.doc2path(self.env.docname)).parent)
        ).as_posix()


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("example", Example)
    return {"parallel_read_safe": True}
