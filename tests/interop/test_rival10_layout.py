"""The published layout, read by a loader written from its description with NumPy, pickle and Pillow alone.

What `rival10 import` takes in must be what that loader reads from the same files, and what `rival10 export` writes must
load there with equal labels and masks.
"""

import base64
import csv
import io
import json
import pickle
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from pycocotools import mask as coco

FIXTURES = ROOT / "fixtures"
TAXONOMY = tomllib.loads((ROOT / "schema/taxonomy/rival10.toml").read_text())
ATTRIBUTES = [attribute["name"] for attribute in TAXONOMY["attributes"]]
CLASS_OF = {synset: entry["name"] for entry in TAXONOMY["classes"] for synset in entry["synsets"]}
ENTRY = "entire-object"


class Record:
    """One image as its files have it."""

    def __init__(self, split, variant, image):
        self.split, self.variant, self.image, self.stem = split.name, variant, image.read_bytes(), image.stem
        beside = lambda ending: image.with_name(image.stem + ending)
        wnid = self.stem.split("_")[0]
        self.class_name = CLASS_OF[wnid]
        self.labels = np.load(beside("_attr_labels.npy"))
        self.pickle = beside("_attr_dict.pkl").read_bytes()
        self.dict = pickle.loads(self.pickle)
        self.masks = {name: self.any_channel(text) for name, text in self.dict.items()}
        self.merged = self.grey(beside("_merged_mask.JPEG"))
        drawn = split / "entire_object_masks" / f"{wnid}_{self.stem}.JPEG"
        self.drawn = self.grey(drawn) if drawn.exists() else None
        if ENTRY not in self.masks and self.drawn is not None:
            self.masks[ENTRY] = self.drawn >= 128

    @property
    def key(self):
        return self.split, self.variant, self.stem

    @staticmethod
    def picture(text):
        text = text if isinstance(text, bytes) else text.encode()
        return Image.open(io.BytesIO(base64.b64decode(text.split(b",")[-1])))

    @classmethod
    def any_channel(cls, text):
        return np.asarray(cls.picture(text)).any(axis=-1)

    @staticmethod
    def grey(path):
        return np.asarray(Image.open(path).convert("L"))


def load(folder):
    """Every image below `folder`/RIVAL10, by split, variant and stem."""
    records = [
        Record(split, variant, image)
        for split in sorted((folder / "RIVAL10").iterdir())
        for variant in ("ordinary", "superimposed", "removed")
        for image in sorted((split / variant).glob("*.JPEG"))
        if not image.stem.endswith("_merged_mask")
    ]
    return {record.key: record for record in records}


def dumped(rival10, project):
    """What a project says of each image: its line of the dump and its one annotation."""
    images = {}
    for line in map(json.loads, rival10("--project", project, "dump").splitlines()):
        if "image" in line:
            image = line["image"]
        elif "instance" in line:
            (annotation,) = line["instance"]["annotations"]
            assert line["instance"]["class"] == image["class"]
            images[image["split"], image["variant"], image["name"]] = image, annotation
    return images


def imported(rival10, tmp_path, source):
    project = tmp_path / "project"
    rival10("init", project)
    rival10("--project", project, "import", "--format", "rival10", source)
    return project


@pytest.fixture(params=["fixtures", "real photos"])
def source(request):
    """A data set in the published layout, and how many images its splits have."""
    if request.param == "fixtures":
        return FIXTURES / "rival10", {"train": 3, "test": 1}
    return request.getfixturevalue("real_data") / "rival10-photos", {"train": 35, "test": 12}


def test_an_import_takes_in_what_numpy_pickle_and_pillow_read(rival10, tmp_path, source):
    folder, counts = source
    records = load(folder)
    images = dumped(rival10, imported(rival10, tmp_path, folder))
    assert images.keys() == records.keys()
    assert {split: sum(key[0] == split for key in images) for split in counts} == counts
    for key, record in records.items():
        image, annotation = images[key]
        assert image["class"] == record.class_name
        assert annotation["attributes"] == "".join("ny"[label] for label in record.labels[0])
        assert annotation["altered"].count("y") + annotation["altered"].count("1") == record.labels[1].sum()
        names = {"object": ENTRY} | {f"attribute {name}": name for name in ATTRIBUTES}
        size = [image["height"], image["width"]]
        masks = {names[layer]: coco.decode({"size": size, "counts": counts}) for layer, counts in annotation["masks"]}
        assert masks.keys() == record.masks.keys()
        for name, mask in masks.items():
            assert np.array_equal(mask.astype(bool), record.masks[name]), (key, name)


def test_an_export_loads_with_equal_labels_and_masks(rival10, tmp_path, source):
    folder, _ = source
    out = tmp_path / "out"
    project = imported(rival10, tmp_path, folder)
    rival10("--project", project, "export", "--format", "rival10", "--out", out)
    before, after = load(folder), load(out)
    assert after.keys() == before.keys()
    for key, record in after.items():
        source_record = before[key]
        assert record.image == source_record.image
        assert record.labels.dtype == np.int64 and record.labels.shape == (2, len(ATTRIBUTES))
        assert np.array_equal(record.labels, source_record.labels)
        assert record.masks.keys() == source_record.masks.keys()
        for name, mask in record.masks.items():
            assert np.array_equal(mask, source_record.masks[name]), (key, name)
        assert all(type(name) is str and type(text) is str for name, text in record.dict.items())
        for text in record.dict.values():
            picture = record.picture(text)
            assert picture.mode == "RGBA" and picture.format == "PNG"
            assert set(np.unique(np.asarray(picture))) <= {0, 255}
        if record.drawn is not None and key[1] == "ordinary":
            assert np.array_equal(record.drawn >= 128, record.masks[ENTRY])
        union = [mask for name, mask in record.masks.items() if name != ENTRY]
        assert np.array_equal(record.merged >= 128, np.any(union, axis=0) if union else np.zeros_like(record.merged, bool))


def test_masks_are_published_as_grey_in_rgb_jpegs(rival10, tmp_path):
    project = imported(rival10, tmp_path, FIXTURES / "rival10")
    out = tmp_path / "out"
    rival10("--project", project, "export", "--format", "rival10", "--out", out)
    masks = [*out.glob("RIVAL10/*/*/*_merged_mask.JPEG"), *out.glob("RIVAL10/*/entire_object_masks/*.JPEG")]
    assert len(masks) == 7
    for path in masks:
        picture = Image.open(path)
        assert picture.mode == "RGB" and picture.format == "JPEG"
        channels = np.asarray(picture)
        assert (channels == channels[..., :1]).all()


with open(FIXTURES / "malformed/expected.csv", newline="") as table:
    MALFORMED = [(row["case"], row["file"], row["says"]) for row in csv.DictReader(table)]


@pytest.mark.parametrize(("case", "file", "says"), MALFORMED, ids=[row[0] for row in MALFORMED])
def test_a_malformed_tree_is_one_clear_line_and_leaves_the_project_as_it_was(rival10, tmp_path, case, file, says):
    project = imported(rival10, tmp_path, FIXTURES / "rival10")
    before = rival10("--project", project, "dump")
    form = case.split("/")[0]
    done = rival10("--project", project, "import", "--format", form, FIXTURES / "malformed" / case, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert file in line and says in line and "panicked" not in line
    assert rival10("--project", project, "dump") == before


def test_the_fixtures_are_what_their_script_writes(tmp_path):
    subprocess.run([sys.executable, FIXTURES / "train/layout.py", tmp_path], check=True)
    for tree in ("rival10", "malformed"):
        made, kept = (
            {path.relative_to(root): path.read_bytes() for path in (root / tree).rglob("*") if path.is_file()}
            for root in (tmp_path, FIXTURES)
        )
        assert made == kept
