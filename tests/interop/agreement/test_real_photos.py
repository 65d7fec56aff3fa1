"""Guards the audit on real photos that two people annotated: the binary's figures, mask by mask, are those of NumPy and
surface-distance on the mask files themselves, and the answers' coefficients those of irrCAC and krippendorff."""

import json
import pathlib

import krippendorff
import numpy as np
import pandas as pd
import pytest
import surface_distance
from irrCAC.raw import CAC
from PIL import Image
from pycocotools import mask as coco

CLASSES = ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"]


def drawn(path):
    return np.array(Image.open(path).convert("L")) > 127


@pytest.fixture(scope="module")
def notes(real_data):
    return json.loads((real_data / "images/attributes/annotations.json").read_text())


@pytest.fixture(scope="module")
def audit(rival10, real_data, notes, tmp_path_factory):
    """Both people's words, brought in as COCO files, and what the binary says of them."""
    images = real_data / "images"
    names = list(notes[0]["attributes"])
    categories = [{"id": i + 1, "name": name, "supercategory": "object"} for i, name in enumerate(CLASSES)]
    categories += [{"id": 11 + i, "name": name, "supercategory": "attribute"} for i, name in enumerate(names)]
    project = tmp_path_factory.mktemp("audit")
    rival10("init", ".", cwd=project)
    for who in "ab":
        records, annotations = [], []

        def annotate(path, category, attributes):
            mask = drawn(path)
            if not mask.any():
                return
            runs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
            box = coco.toBbox(runs).tolist()
            runs["counts"] = runs["counts"].decode()
            annotations.append({
                "id": len(annotations) + 1, "image_id": records[-1]["id"], "category_id": category, "iscrowd": 0,
                "segmentation": runs, "area": int(mask.sum()), "bbox": box, "attributes": attributes,
            })

        for note in (note for note in notes if note["annotator"] == who):
            with Image.open(images / note["file"]) as picture:
                width, height = picture.size
            records.append({"id": len(records) + 1, "file_name": note["file"], "width": width, "height": height})
            folder = images / "attributes/masks" / who / note["class"] / pathlib.Path(note["file"]).stem
            answers = {name: bool(value) for name, value in note["attributes"].items()}
            annotate(folder / "object.png", CLASSES.index(note["class"]) + 1, answers)
            of = annotations[-1]["id"]
            for i, name in enumerate(names):
                if (folder / f"{name}.png").exists():
                    annotate(folder / f"{name}.png", 11 + i, {"object_id": of})
        file = project / f"{who}.json"
        file.write_text(json.dumps({"images": records, "annotations": annotations, "categories": categories}))
        rival10("annotators", "add", who, cwd=project)
        rival10("import", "--format", "coco", file, "--images", images, "--annotator", who, cwd=project)
    return json.loads(rival10("audit", "--below", "1.1", "--resamples", "1000", "--json", cwd=project))


def test_every_mask_has_the_agreement_of_the_files(audit, real_data):
    assert audit["images"] == 15 and len(audit["worst"]) == audit["all"]["masks"] == 69
    folder = real_data / "images/attributes/masks"
    for mask in audit["worst"]:
        path = pathlib.Path(mask["image"])
        a, b = (drawn(folder / who / path.parent.name / path.stem / f"{mask['layer']}.png") for who in "ab")
        assert mask["iou"] == pytest.approx((a & b).sum() / (a | b).sum(), abs=1e-12)
        distances = surface_distance.compute_surface_distances(a, b, spacing_mm=(1, 1))
        assert mask["hd95"] == pytest.approx(surface_distance.compute_robust_hausdorff(distances, 95), abs=1e-6)
        near = surface_distance.compute_surface_dice_at_tolerance(distances, audit["tolerance"])
        assert mask["nsd"] == pytest.approx(near, abs=1e-6)
    ious = [mask["iou"] for mask in audit["worst"]]
    assert ious == sorted(ious) and audit["all"]["iou"] == pytest.approx(np.mean(ious), abs=1e-12)


def test_every_answer_has_the_coefficients_of_other_programs(audit, notes):
    both = {note["file"]: note["attributes"] for note in notes if note["annotator"] == "b"}
    first = {note["file"]: note["attributes"] for note in notes if note["annotator"] == "a" and note["file"] in both}
    assert len(audit["attributes"]) == 18
    for attribute in audit["attributes"]:
        said = np.array([[first[file][attribute["name"]], both[file][attribute["name"]]] for file in sorted(both)])
        found = {name: value for name, (value, _) in attribute["coefficients"].items()}
        cac = CAC(pd.DataFrame(said.astype(float)), categories=[0.0, 1.0], digits=12)
        assert found["Gwet's AC1"] == pytest.approx(cac.gwet()["est"]["coefficient_value"], abs=1e-6)
        assert found["raw agreement"] == pytest.approx((said[:, 0] == said[:, 1]).mean(), abs=1e-12)
        if 0 < said.sum() < said.size:
            alpha = krippendorff.alpha(said.T, value_domain=[0, 1], level_of_measurement="nominal")
            assert found["Krippendorff's alpha"] == pytest.approx(alpha, abs=1e-6)
