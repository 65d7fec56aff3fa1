#!/usr/bin/env python3
"""Times the whole path on synthetic scenes: drawing, import, statistics, validation and COCO export.

    cargo build --release && python3 benches/pipeline.py target/release/rival10 --n 26000

Prints a Markdown table. Times are wall clock of whole processes; the export's includes reading back what was written.
"""

import argparse
import os
import pathlib
import platform
import subprocess
import tempfile
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--n", type=int, default=26000)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--folder", type=pathlib.Path, help="where to work; a temporary folder unless given")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as home:
        steps = [
            ("synth", ["synth", "--n", arguments.n, "--size", arguments.size, "--out", "RIVAL10"]),
            ("init", ["init", "."]),
            ("import --format rival10", ["import", "--format", "rival10", "RIVAL10"]),
            ("import again (nothing new)", ["import", "--format", "rival10", "RIVAL10"]),
            ("stats", ["stats"]),
            ("stats --by attribute", ["stats", "--by", "attribute"]),
            ("validate", ["validate"]),
            ("export --format coco", ["export", "--format", "coco", "--out", "coco"]),
        ]
        print(f"{arguments.n} scenes of {arguments.size} x {arguments.size}; {os.cpu_count()} cores, {platform.machine()}\n")
        print("| step | seconds |\n| --- | --- |")
        for name, command in steps:
            begun = time.monotonic()
            subprocess.run([binary, "--quiet", *map(str, command)], cwd=home, check=name != "validate",
                           stdout=subprocess.DEVNULL)
            print(f"| {name} | {time.monotonic() - begun:.2f} |", flush=True)
        megabytes = (pathlib.Path(home) / "rival10.db").stat().st_size / 1e6
        print(f"\nproject file: {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
