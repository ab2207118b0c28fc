"""python -m ui.handout LECTURE.md -o handout.html: the handout of a lecture, from real runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pgcore.lecture import parse
from ui.handout.make import make


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ui.handout", description=__doc__)
    parser.add_argument("lecture", type=Path, help="the lecture's file: links with notes")
    parser.add_argument("-o", "--output", type=Path, default=Path("handout.html"))
    parser.add_argument(
        "--address", default="http://localhost:8501", help="where readers find the lab"
    )
    asked = parser.parse_args()
    try:
        lecture = parse(asked.lecture.read_bytes())
        file = make(lecture, (), asked.address, _progress)
        asked.output.write_bytes(file)
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")
    print(f"\r{asked.output}: {len(file) / 1e6:.1f} MB")


def _progress(share: float) -> None:
    print(f"\r{share:.0%}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
