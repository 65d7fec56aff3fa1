"""The COCO export in Datumaro: does it read back the attributes, ids, classes and masks that stand in the file?

Datumaro is no oracle for masks by itself: pycocotools decodes the same file beside it. It adds a box to every mask, wants the
images at hand, and calls the categories' ids labels that count from 0.
"""

import json

import datumaro
import numpy as np
import pytest
from pycocotools import mask as coco_mask

SCENES = 40


@pytest.fixture(scope="module")
def out(rival10, tmp_path_factory):
    folder = tmp_path_factory.mktemp("datumaro")
    rival10("synth", "--n", SCENES, "--out", folder / "scenes")
    rival10("init", folder / "project")
    rival10("--project", folder / "project", "import", "--format", "rival10", folder / "scenes")
    rival10("--project", folder / "project", "export", "--format", "coco", "--copy-images", "--out", folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def written(out):
    """The records of all splits: by split and image name, the annotations by id."""
    images = {}
    for path in out.glob("annotations/*.json"):
        document = json.loads(path.read_text())
        for image in document["images"]:
            annotations = {a["id"]: a for a in document["annotations"] if a["image_id"] == image["id"]}
            images[image["split"], image["file_name"].rsplit(".", 1)[0]] = annotations
    assert len(images) == SCENES
    return images


@pytest.fixture(scope="module")
def read(out):
    return datumaro.Dataset.import_from(str(out), "coco_instances")


def masks(item):
    return {a.id: a for a in item.annotations if a.type == datumaro.AnnotationType.mask}


def test_every_image_and_annotation_is_there(read, written):
    assert {(item.subset, item.id): masks(item).keys() for item in read} == {
        key: annotations.keys() for key, annotations in written.items()
    }
    for item in read:
        assert item.media.data.shape[:2] == next(iter(masks(item).values())).image.shape


def test_attributes_are_read_back_as_booleans(read, written):
    seen = 0
    for item in read:
        for identifier, mask in masks(item).items():
            wanted = written[item.subset, item.id][identifier]
            attributes = dict(mask.attributes)
            assert attributes.pop("is_crowd") is False
            assert attributes == wanted["attributes"]
            seen += sum(value is True for value in attributes.values())
    assert seen > SCENES


def test_labels_are_the_categories(read, written):
    labels = read.categories()[datumaro.AnnotationType.label].items
    assert [label.parent for label in labels] == ["object"] * 10 + ["attribute"] * 18
    for item in read:
        for identifier, mask in masks(item).items():
            assert mask.label + 1 == written[item.subset, item.id][identifier]["category_id"]


def test_masks_are_those_that_pycocotools_decodes(read, written):
    for item in read:
        for identifier, mask in masks(item).items():
            wanted = coco_mask.decode(written[item.subset, item.id][identifier]["segmentation"])
            assert np.array_equal(mask.image.astype(bool), wanted.astype(bool))
