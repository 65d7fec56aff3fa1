#!/usr/bin/env python3
"""Times `audit` and `validate` over two annotators' masks of six layers on every image.

    cargo build --release && python3 benches/quality.py target/release/rival10 --n 26400

needs NumPy and pycocotools. Scenes of 224 x 224 pixels are drawn; both annotators hold the object and five of its parts as
layers, the second one's shifted by up to two pixels and with a third of the attribute's answers of one layer turned round.
Prints a Markdown table of wall clock, processor seconds (user and system) and the peak of resident memory of whole processes.
"""

import argparse
import copy
import json
import os
import pathlib
import platform
import tempfile

import numpy as np
from processes import measured
from pycocotools import mask as coco

PARTS = 5


def parts(mask):
    """Five parts of an object, none empty: each a fifth of its pixels, in columns from the left."""
    columns = np.argsort(np.nonzero(mask)[1], kind="stable")
    rows, cols = np.nonzero(mask)
    for chosen in np.array_split(columns, PARTS):
        part = np.zeros_like(mask)
        part[rows[chosen], cols[chosen]] = 1
        yield part


def encoded(mask):
    code = coco.encode(np.asfortranarray(mask))
    return {"size": code["size"], "counts": code["counts"].decode()}


def annotations(document, person):
    """The document with `person`'s masks of six layers on each object."""
    rng = np.random.default_rng(person)
    document = copy.copy(document)
    names = [c for c in document["categories"] if c["supercategory"] == "attribute"]
    objects = [a for a in document["annotations"] if "object_id" not in a.get("attributes", {})]
    held = []
    for annotation in objects:
        mask = coco.decode(annotation["segmentation"])
        layers = [mask, *parts(mask)]
        if person:
            # The margin of a scene is background, so that nothing of the object leaves on the other side.
            layers = [np.roll(layer, rng.integers(-2, 3, 2), (0, 1)) for layer in layers]
            layers = [layers[0], *(part & layers[0] for part in layers[1:])]
        chosen = names[:PARTS]
        answers = {c["name"]: c in chosen for c in names}
        if person and rng.random() < 1 / 3:
            answers[names[-1]["name"]] = not answers[names[-1]["name"]]
        identity = len(held) + 1
        held.append(annotation | {"id": identity, "segmentation": encoded(layers[0]), "attributes": answers})
        for category, part in zip(chosen, layers[1:]):
            box = [int(v) for v in coco.toBbox(coco.encode(np.asfortranarray(part)))]
            held.append({"id": len(held) + 1, "image_id": annotation["image_id"], "category_id": category["id"], "iscrowd": 0,
                         "area": int(part.sum()), "bbox": box, "segmentation": encoded(part),
                         "attributes": {"object_id": identity}})
    document["annotations"] = held
    document["info"] = {"description": "two annotators"}
    return document


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--n", type=int, default=26400)
    parser.add_argument("--folder", type=pathlib.Path, help="where to work, and to find what was drawn; a temporary one unless given")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.folder or pathlib.Path(temporary)
        home.mkdir(exist_ok=True)
        rival10 = lambda *command, **options: measured([binary, "--quiet", *command], home, **options)
        if not (home / "coco").exists():
            if not (home / "RIVAL10").exists():
                rival10("synth", "--n", arguments.n, "--out", ".")
            rival10("init", "truth")
            rival10("--project", "truth", "import", "--format", "rival10", "RIVAL10")
            rival10("--project", "truth", "export", "--format", "coco", "--out", "coco")
        if not (home / "rival10.db").exists():
            rival10("init", ".")
            for person, name in enumerate(["ada", "ben"]):
                rival10("annotators", "add", name)
                folder = home / name / "annotations"
                folder.mkdir(parents=True, exist_ok=True)
                for file in sorted((home / "coco" / "annotations").iterdir()):
                    (folder / file.name).write_text(json.dumps(annotations(json.loads(file.read_text()), person)))
                rival10("import", "--format", "coco", home / name, "--images", home / "RIVAL10", "--annotator", name)
        rows = {
            "audit": rival10("audit"),
            "validate": rival10("validate", codes=(0, 1)),
            "validate again": rival10("validate", codes=(0, 1)),
        }
    print(f"{arguments.n} images x {1 + PARTS} layers x 2 annotators; {os.cpu_count()} cores, {platform.machine()}\n")
    print("| step | seconds | processor seconds | peak MB |\n| --- | ---: | ---: | ---: |")
    for name, (wall, processor, memory) in rows.items():
        print(f"| {name} | {wall:.1f} | {processor:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
