"""What pyproject.toml cannot say: a wheel has the examples, which stand outside the package."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

EXAMPLES = ("prospero*.vm", "examples/*.py")
PLACE = "intervalvm/examples"


class BuildWithExamples(build_py):
    """Copies the examples, except where the package is installed editable: it finds them there."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib, PLACE)
            self.mkpath(str(folder))
            for path in (path for which in EXAMPLES for path in Path().glob(which)):
                self.copy_file(str(path), str(folder / path.name))


setup(cmdclass={"build_py": BuildWithExamples})
