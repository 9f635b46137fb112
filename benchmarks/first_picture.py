"""From a fresh interpreter to a painted view, beside a bare `import torch` in the same run.

    python benchmarks/first_picture.py [--repeats 3]      writes benchmarks/results/first_picture.json

Each turn starts a new process. The test scenes are generated beforehand, as on every day but the first; the
time of `import itr_explore` beyond torch is measured apart.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from common import side_by_side, write

TORCH = "import torch"
PACKAGE = "import torch, itr_explore"
PICTURE = """
import itr_explore as itr
view = itr.explore(itr.from_pretrained("scan-tiny-scenes"), itr.Collection.scenes("test").pair(3))
assert "text/html" in view._repr_mimebundle_()[0]
"""
LIMIT = 5.0  # seconds to the picture
LIMIT_IMPORT = 0.3  # seconds of `import itr_explore` beyond torch


def start(code: str) -> None:
    """Run `code` in a new interpreter."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    start(PICTURE)
    codes = {"torch": TORCH, "torch and itr_explore": PACKAGE, "picture": PICTURE}
    seconds = side_by_side({name: lambda c=code: start(c) for name, code in codes.items()}, options.repeats)
    beyond = seconds["torch and itr_explore"] - seconds["torch"]
    write(
        "first_picture",
        {
            "seconds": {name: round(value, 2) for name, value in seconds.items()},
            "import_beyond_torch": round(beyond, 3),
            "times_import_torch": round(seconds["picture"] / seconds["torch"], 2),
            "limit": LIMIT,
            "held": seconds["picture"] < LIMIT and beyond < LIMIT_IMPORT,
        },
    )


if __name__ == "__main__":
    main()
