#!/usr/bin/env python3
"""COCO export and load of one data set by rival10, pycocotools and Datumaro, on one machine in one run.

    python benches/coco_vs_peers.py --binary target/release/rival10 --work /tmp/coco-bench --n 26000 \
        --datumaro ~/.cache/rival10/venv-datumaro/bin/python

The data set is drawn by `rival10 synth` and imported once; a second run in the same --work folder finds it there. What is
timed, each in a process of its own:

- rival10 export: annotations out of the project's store, every mask encoded, written, synced to the disk, hashed, read
  back, decoded and compared.
- pycocotools load: the files read by COCO(), every mask decoded to pixels. write: these pixels encoded again with area and
  box, and the JSON dumped. It has no exporter of its own; this is what its users write.
- Datumaro load: import_from() and the pixels of every mask. write: its COCO export without the images.

The pixels of a peer's masks are decoded before its write is timed. Peers are left out if their Python is not given.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time


def timed(work):
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def pycocotools_peer(out, scratch):
    import contextlib
    import io

    import numpy as np
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO

    def load():
        with contextlib.redirect_stdout(io.StringIO()):
            files = [COCO(path) for path in sorted(out.glob("annotations/*.json"))]
        return [(coco, {a["id"]: coco.annToMask(a) for a in coco.anns.values()}) for coco in files]

    def write():
        for number, (coco, masks) in enumerate(loaded):
            annotations = []
            for annotation in coco.dataset["annotations"]:
                rle = coco_mask.encode(np.asfortranarray(masks[annotation["id"]]))
                area, box = int(coco_mask.area(rle)), coco_mask.toBbox(rle).tolist()
                rle["counts"] = rle["counts"].decode()
                annotations.append({**annotation, "segmentation": rle, "area": area, "bbox": box})
            with open(scratch / f"pycocotools-{number}.json", "w") as file:
                json.dump({**coco.dataset, "annotations": annotations}, file)

    seconds, loaded = timed(load)
    return {"load": seconds, "write": timed(write)[0], "masks": sum(len(masks) for _, masks in loaded)}


def datumaro_peer(out, scratch):
    import datumaro

    # Without this folder it refuses the data set; the pictures themselves are not wanted here.
    (out / "images").mkdir(exist_ok=True)

    def load():
        dataset = datumaro.Dataset.import_from(str(out), "coco_instances")
        masks = [a for item in dataset for a in item.annotations if a.type == datumaro.AnnotationType.mask]
        return dataset, sum(mask.image.any() for mask in masks)

    seconds, (dataset, masks) = timed(load)
    target = str(scratch / "datumaro")
    write, _ = timed(lambda: dataset.export(target, "coco_instances", save_media=False, segmentation_mode="mask"))
    return {"load": seconds, "write": write, "masks": int(masks)}


PEERS = {"pycocotools": pycocotools_peer, "datumaro": datumaro_peer}


def project(binary, work, scenes):
    """The project of `scenes` scenes under `work`, made if it is not there."""
    folder = work / f"project-{scenes}"
    if not (folder / "rival10.db").exists():
        subprocess.run([binary, "synth", "--n", str(scenes), "--out", work / f"scenes-{scenes}"], check=True)
        subprocess.run([binary, "init", folder], check=True)
        source = work / f"scenes-{scenes}"
        subprocess.run([binary, "--project", folder, "import", "--format", "rival10", source], check=True)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path("target/release/rival10"))
    parser.add_argument("--work", type=pathlib.Path, help="where data sets are made and kept")
    parser.add_argument("--n", type=int, default=26_000, help="how many scenes")
    parser.add_argument("--pycocotools", default=sys.executable, help="a Python that has pycocotools")
    parser.add_argument("--datumaro", help="a Python that has Datumaro")
    parser.add_argument("--peer", nargs=3, metavar=("NAME", "OUT", "SCRATCH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        name, out, scratch = arguments.peer
        print(json.dumps(PEERS[name](pathlib.Path(out), pathlib.Path(scratch))))
        return
    if not arguments.work:
        parser.error("--work is missing")

    work = arguments.work.resolve()
    out, scratch = work / "out", work / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    binary = arguments.binary.resolve()
    command = [binary, "--project", project(binary, work, arguments.n), "--quiet"]
    options = ["export", "--format", "coco", "--out", out]
    export, _ = timed(lambda: subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL))
    size = sum(path.stat().st_size for path in out.glob("annotations/*.json"))
    print(f"{arguments.n} images, {size / 1e6:.0f} MB of JSON")
    print(f"{'':24}{'seconds':>10}{'against rival10 export':>26}")
    print(f"{'rival10 export':24}{export:10.1f}{1:26.2f}")
    for name, python in (("pycocotools", arguments.pycocotools), ("datumaro", arguments.datumaro)):
        if not python:
            print(f"{name}: left out, no Python was given for it")
            continue
        peer = [python, __file__, "--peer", name, str(out), str(scratch)]
        seconds = json.loads(subprocess.run(peer, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        for step in ("load", "write"):
            print(f"{f'{name} {step}':24}{seconds[step]:10.1f}{seconds[step] / export:26.2f}")
        print(f"{f'  {name} masks':24}{seconds['masks']:10}")


if __name__ == "__main__":
    main()
