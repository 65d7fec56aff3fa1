"""The COCO export in pycocotools, against the published layout's files as Python reads them.

The scenes are drawn and imported by the program under test; what is compared is what NumPy, Pillow and pickle read from the
published layout with what pycocotools reads from the export.
"""

import base64
import io
import json
import pathlib
import pickle

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SCENES = 500
CLASSES = ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"]
ATTRIBUTES = [
    "long-snout", "wings", "wheels", "text", "horns", "floppy-ears", "ears", "colored-eyes", "tail", "mane", "beak",
    "hairy", "metallic", "rectangular", "wet", "long", "tall", "patterned",
]  # fmt: skip
OBJECT = "entire-object"
FIXTURE = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "coco" / "two-classes"


@pytest.fixture(scope="module")
def folders(rival10, tmp_path_factory):
    """A project of synthetic scenes: its folder, and that of the published layout that it was imported from."""
    folder = tmp_path_factory.mktemp("coco")
    rival10("synth", "--n", SCENES, "--out", folder / "scenes")
    rival10("init", folder / "project")
    rival10("--project", folder / "project", "import", "--format", "rival10", folder / "scenes")
    return folder / "project", folder / "scenes"


@pytest.fixture(scope="module")
def export(rival10, folders, tmp_path_factory):
    """export(options...) is the annotation file of every split, as pycocotools opens it."""

    def run(*options):
        out = tmp_path_factory.mktemp("out")
        rival10("--project", folders[0], "export", "--format", "coco", "--out", out, *options)
        return {path.stem.removeprefix("instances_"): COCO(path) for path in sorted(out.glob("annotations/*.json"))}

    return run


@pytest.fixture(scope="module")
def exported(export):
    return export()


@pytest.fixture(scope="module")
def published(folders):
    """What Python reads from the published layout: by split and stem the masks by name, and the label vector."""

    def labelled(text):
        text = text.encode() if isinstance(text, str) else text
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text.split(b",")[-1]))))
        return pixels.any(axis=-1) if pixels.ndim == 3 else pixels > 0

    samples = {}
    for path in folders[1].rglob("*_attr_dict.pkl"):
        stem = path.name.removesuffix("_attr_dict.pkl")
        masks = {name: labelled(text) for name, text in pickle.loads(path.read_bytes()).items()}
        labels = np.load(path.with_name(f"{stem}_attr_labels.npy"))
        samples[path.parent.parent.name, stem] = masks, labels[0]
    assert len(samples) == SCENES
    return samples


def masks_in(coco, image):
    """The annotations of an image by the name of what they show."""
    named = {}
    for annotation in coco.imgToAnns[image["id"]]:
        category = coco.cats[annotation["category_id"]]
        name = category["name"] if category["supercategory"] == "attribute" else OBJECT
        assert name not in named
        named[name] = annotation
    return named


def stem(image):
    return image["file_name"].rsplit("/", 1)[-1].rsplit(".", 1)[0]


def assert_same_masks(files, published):
    compared = 0
    for split, coco in files.items():
        for image in coco.imgs.values():
            masks, _ = published[split, stem(image)]
            drawn = {name: mask for name, mask in masks.items() if mask.any()}
            annotations = masks_in(coco, image)
            assert annotations.keys() == drawn.keys()
            for name, annotation in annotations.items():
                rle = coco.annToRLE(annotation)
                assert np.array_equal(coco_mask.decode(rle).astype(bool), drawn[name]), (image["file_name"], name)
                assert annotation["area"] == coco_mask.area(rle) == drawn[name].sum()
                assert annotation["bbox"] == coco_mask.toBbox(rle).tolist()
                compared += 1
    return compared


def test_every_pixel_of_every_mask_is_that_of_the_published_layout(exported, published):
    assert exported.keys() == {split for split, _ in published}
    compared = assert_same_masks(exported, published)
    assert compared > 2 * SCENES, "objects and their attributes"
    assert sum(len(coco.imgs) for coco in exported.values()) == SCENES


def test_outlines_rasterise_to_the_same_pixels(export, published):
    assert_same_masks(export("--polygons"), published)


def test_ids_categories_and_crowds_are_what_cocos_tools_bear(exported):
    for coco in exported.values():
        assert [(c["id"], c["name"]) for c in coco.dataset["categories"]] == [
            *enumerate(CLASSES, 1),
            *enumerate(ATTRIBUTES, len(CLASSES) + 1),
        ]
        supercategories = [category["supercategory"] for category in coco.dataset["categories"]]
        assert supercategories[10:] == ["attribute"] * 18
        assert "attribute" not in supercategories[:10]
        for records in (coco.dataset["images"], coco.dataset["annotations"]):
            assert [record["id"] for record in records] == list(range(1, len(records) + 1))
        assert {annotation["iscrowd"] for annotation in coco.anns.values()} == {0}


def test_attributes_are_the_label_vectors_and_parts_name_their_object(exported, published):
    for split, coco in exported.items():
        for image in coco.imgs.values():
            annotations = masks_in(coco, image)
            target = annotations.pop(OBJECT)
            _, labels = published[split, stem(image)]
            assert [target["attributes"][name] for name in ATTRIBUTES] == labels.astype(bool).tolist()
            assert all(part["attributes"] == {"object_id": target["id"]} for part in annotations.values())


def test_the_export_evaluated_against_itself_is_perfect(exported):
    for coco in exported.values():
        fields = ("image_id", "category_id", "segmentation")
        detections = [{**{f: a[f] for f in fields}, "score": 1.0} for a in coco.dataset["annotations"]]
        evaluation = COCOeval(coco, coco.loadRes(detections), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        assert evaluation.stats[:3].tolist() == [1.0, 1.0, 1.0]


def test_the_classes_can_be_written_alone(export, published):
    for coco in export("--layers", "object").values():
        assert [category["name"] for category in coco.dataset["categories"]] == CLASSES
        for image in coco.imgs.values():
            assert masks_in(coco, image).keys() == {OBJECT}


def test_one_file_keeps_the_split_of_every_image(rival10, folders, published, tmp_path):
    out = tmp_path / "all.json"
    rival10("--project", folders[0], "export", "--format", "coco", "--out", out)
    images = json.loads(out.read_text())["images"]
    assert {(image["split"], stem(image)) for image in images} == published.keys()
    for image in images:
        with Image.open(tmp_path / image["file_name"]) as picture:
            assert picture.size == (image["width"], image["height"])


def test_what_others_write_comes_in_and_goes_out_the_same(rival10, tmp_path):
    """Five instances of two classes in one image, with polygons, both kinds of run lengths and a crowd."""
    source = FIXTURE
    taxonomy = tmp_path / "pets.toml"
    taxonomy.write_text('name = "pets"\n' + "".join(f'[[classes]]\nname = "{name}"\n' for name in ("cat", "dog")))
    rival10("init", tmp_path / "project", "--taxonomy", taxonomy)
    rival10("--project", tmp_path / "project", "import", "--format", "coco", source)
    rival10("--project", tmp_path / "project", "export", "--format", "coco", "--out", tmp_path / "out")
    before = COCO(source / "annotations" / "instances_val.json")
    after = COCO(tmp_path / "out" / "annotations" / "instances_val.json")
    assert [(c["id"], c["name"]) for c in after.dataset["categories"]] == [(1, "cat"), (2, "dog")]
    kept = ("id", "image_id", "category_id", "iscrowd", "area", "bbox")
    records = [[[a[field] for field in kept] for a in coco.dataset["annotations"]] for coco in (before, after)]
    assert len(records[0]) == 6
    assert records[0] == records[1]
    for identifier, annotation in before.anns.items():
        assert np.array_equal(before.annToMask(annotation), after.annToMask(after.anns[identifier]))

