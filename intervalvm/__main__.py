"""``python -m intervalvm``: the same as the command ``intervalvm``."""

from intervalvm.cli import run

if __name__ == "__main__":
    run()
