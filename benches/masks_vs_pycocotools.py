"""Mask operations of the toolkit and of pycocotools, on the same masks, in one run on one machine.

    cargo build --release -p rival10-sdk --example mask_speed
    python benches/masks_vs_pycocotools.py [--program target/release/examples/mask_speed] [--rounds 3]

pycocotools is timed twice: its Python functions, called once for a whole list of masks, so that the overhead of a call
is shared; and the C functions below them, called through ctypes, which is its work and nothing else. Its Python functions
take masks as strings and so parse them at each call; the toolkit is timed with such parsing ("from string") and, as it
keeps masks as runs, without. Both sides take turns, and the best of the rounds counts, since other work on the machine
can only slow a round down.
"""

import argparse
import ctypes
import json
import os
import pathlib
import platform
import subprocess
import tempfile
import time
import warnings

import numpy as np
import pycocotools._mask
from pycocotools import mask as coco

ROOT = pathlib.Path(__file__).resolve().parents[1]
SECONDS, ROUNDS = 0.02, 10
SIZES = [(224, 224, 24, "objects"), (640, 480, 24, "objects"), (4000, 3000, 6, "objects"), (640, 480, 8, "noise")]


class Rle(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulong) for name in "hwm"] + [("counts", ctypes.c_void_p)]


def c_functions():
    library = ctypes.CDLL(pycocotools._mask.__file__)
    rle, size, pointer = ctypes.POINTER(Rle), ctypes.c_ulong, ctypes.c_void_p
    for name, arguments in {
        "rleEncode": [rle, pointer, size, size, size],
        "rleDecode": [rle, pointer, size],
        "rleArea": [rle, size, pointer],
        "rleToBbox": [rle, pointer, size],
        "rleMerge": [rle, rle, size, ctypes.c_int],
        "rleIou": [rle, rle, size, size, pointer, pointer],
        "rleFree": [rle],
    }.items():
        function = getattr(library, name)
        function.argtypes, function.restype = arguments, None
    return library


def objects(rng, width, height):
    """A body with limbs and a hole, as an annotated object is: smooth outlines, a few runs a column."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    side = min(width, height)
    cx, cy = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.4, 0.6)
    mask = np.zeros((height, width), bool)
    for part in range(6):
        angle = rng.uniform(0, 2 * np.pi)
        far = 0 if part == 0 else rng.uniform(0.15, 0.3) * side
        px, py = cx + far * np.cos(angle), cy + far * np.sin(angle)
        long, short = rng.uniform(0.12, 0.3) * side, rng.uniform(0.04, 0.15) * side
        turn = rng.uniform(0, np.pi)
        u = (x - px) * np.cos(turn) + (y - py) * np.sin(turn)
        v = (y - py) * np.cos(turn) - (x - px) * np.sin(turn)
        # The outline trembles a little, as one drawn by hand or found by a network does.
        rough = 1 + 0.06 * np.sin(9 * np.arctan2(v, u)) + 0.02 * np.sin(41 * np.arctan2(v, u))
        inside = (u / long) ** 2 + (v / short) ** 2 < rough
        mask = mask & ~inside if part == 5 else mask | inside
    return mask


def noise(rng, width, height):
    return rng.random((height, width)) < 0.5


def nanoseconds(work):
    """As mask_speed measures: rounds of some calls, of which the fastest counts."""

    def once(calls):
        start = time.perf_counter()
        for _ in range(calls):
            work()
        return (time.perf_counter() - start) / calls

    first = once(1)
    calls = max(1, round(SECONDS / max(first, 1e-9)))
    return min([first] + [once(calls) for _ in range(ROUNDS)]) * 1e9


class Theirs:
    """The same work by pycocotools: name of an operation -> a call, and for how many masks or pairs it works."""

    def __init__(self, library, masks):
        n, (height, width) = len(masks), masks[0].shape
        stack = np.asfortranarray(np.stack(masks, 2).astype(np.uint8))
        self.strings = coco.encode(stack)
        rles = (Rle * n)()
        library.rleEncode(rles, stack.ctypes.data, height, width, n)
        overlap, areas, boxes = np.empty(n * n), np.empty(n, np.uint32), np.empty(4 * n)

        def encode():
            made = (Rle * n)()
            library.rleEncode(made, stack.ctypes.data, height, width, n)
            for i in range(n):
                library.rleFree(ctypes.byref(made[i]))

        def decode():
            pixels = np.empty(stack.size, np.uint8)
            library.rleDecode(rles, pixels.ctypes.data, n)

        def merge(intersect):
            made = Rle()
            library.rleMerge(rles, ctypes.byref(made), n, intersect)
            library.rleFree(ctypes.byref(made))

        self.c = {
            "encode": (encode, n),
            "decode": (decode, n),
            "area": (lambda: library.rleArea(rles, n, areas.ctypes.data), n),
            "bbox": (lambda: library.rleToBbox(rles, boxes.ctypes.data, n), n),
            "union": (lambda: merge(0), n - 1),
            "intersection": (lambda: merge(1), n - 1),
            "iou": (lambda: library.rleIou(rles, rles, n, n, None, overlap.ctypes.data), n * n),
        }
        crowd = [0] * n
        self.python = {
            "encode": (lambda: coco.encode(stack), n),
            "decode": (lambda: coco.decode(self.strings), n),
            "area": (lambda: coco.area(self.strings), n),
            "bbox": (lambda: coco.toBbox(self.strings), n),
            "union": (lambda: coco.merge(self.strings), n - 1),
            "intersection": (lambda: coco.merge(self.strings, intersect=True), n - 1),
            "iou": (lambda: coco.iou(self.strings, self.strings, crowd), n * n),
        }


def ours_timed(program, masks, strings):
    height, width = masks[0].shape
    with tempfile.NamedTemporaryFile("w", suffix=".masks") as file:
        lines = [f"{width} {height}"] + [rle["counts"].decode() for rle in strings]
        file.write("\n".join(lines))
        file.flush()
        return json.loads(subprocess.run([program, file.name], capture_output=True, check=True).stdout)


def with_strings(name):
    return "encode to string" if name == "encode" else f"{name} from string"


def measured(program, library, width, height, count, kind, rounds):
    rng = np.random.default_rng(0)
    masks = [{"objects": objects, "noise": noise}[kind](rng, width, height) for _ in range(count)]
    theirs = Theirs(library, masks)
    best = {}
    for _ in range(rounds):
        times = {("ours", name): value for name, value in ours_timed(program, masks, theirs.strings).items()}
        for side in ("c", "python"):
            for name, (work, per) in getattr(theirs, side).items():
                times[side, name] = nanoseconds(work) / per
        best = {key: min(value, best.get(key, value)) for key, value in times.items()}
    return best, list(theirs.c)


def shown(nanoseconds):
    for unit, scale in [("ms", 1e6), ("us", 1e3)]:
        if nanoseconds >= scale:
            return f"{nanoseconds / scale:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--program", default=target / "release/examples/mask_speed")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)

    library = c_functions()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("Time for one mask, or one pair of masks; the ratio is theirs to ours, above 1 where ours is faster.\n")
    print("| masks | operation | ours | pycocotools, C | ratio | ours with strings | pycocotools, Python | ratio |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    slower = []
    for width, height, count, kind in SIZES:
        best, names = measured(options.program, library, width, height, count, kind, options.rounds)
        for name in names:
            cells = [f"{width}x{height} {kind}", name]
            for mine, side in [(name, "c"), (with_strings(name), "python")]:
                ours, theirs = best["ours", mine], best[side, name]
                cells += [shown(ours), shown(theirs), f"{theirs / ours:.1f}"]
                if theirs < ours:
                    slower.append(" ".join([*cells[:2], side]))
            print("| " + " | ".join(cells) + " |", flush=True)
    print("\nSlower than pycocotools: " + (", ".join(slower) or "nothing"))


if __name__ == "__main__":
    main()
