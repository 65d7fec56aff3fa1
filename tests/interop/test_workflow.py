"""History, packs and backups, read by somebody else: NumPy and pycocotools, Python's tarfile and sqlite3."""

import hashlib
import json
import shutil
import sqlite3
import tarfile

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

SIDE = 48


@pytest.fixture()
def project(rival10, tmp_path):
    """A project of six images with masks by Ada, and the masks: `(folder, {path: bitmap})`."""
    folder = tmp_path / "project"
    rival10("init", folder)
    random = np.random.default_rng(7)
    masks = {}
    for i in range(6):
        name = f"{'cat' if i % 2 else 'dog'}/{i:03}"
        picture = folder / "pictures" / f"{name}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(picture)
        masks[f"pictures/{name}.png"] = blob(random)
        Image.fromarray(masks[f"pictures/{name}.png"] * 255).save(picture.with_name(f"{i:03}_mask.png"))
    for person in ["ada", "bob", "eve"]:
        rival10("annotators", "add", person, cwd=folder)
    rival10("import", "--format", "images", "pictures", "--annotator", "ada", cwd=folder)
    return folder, masks


def blob(random):
    y, x = np.mgrid[:SIDE, :SIDE]
    cx, cy, r = random.uniform(14, 34), random.uniform(14, 34), random.uniform(5, 14)
    return ((x - cx) ** 2 + (y - cy) ** 2 < r**2).astype(np.uint8)


def test_diff_counts_pixels_and_iou_as_numpy_and_pycocotools_do(rival10, project):
    folder, masks = project
    random = np.random.default_rng(8)
    others = {path: blob(random) for path in masks}
    for path, mask in others.items():
        Image.fromarray(mask * 255).save((folder / path).with_name((folder / path).stem + "_mask.png"))
    copy = folder.parent / "copy"
    rival10("backup", copy / "rival10.db", cwd=folder)
    # The copy is told otherwise: Ada's first word is undone and her second imported.
    entry = json.loads(rival10("log", "--kind", "import", "--json", cwd=copy))[0]["id"]
    rival10("undo", entry, cwd=copy)
    shutil.copytree(folder / "pictures", copy / "pictures")
    rival10("import", "--format", "images", "pictures", "--annotator", "ada", cwd=copy)
    done = rival10("diff", folder, copy, "--json", cwd=folder, check=False)
    assert done.returncode == 1, "they differ"
    seen = {}
    for image in json.loads(done.stdout)["images"]:
        (annotation,) = image["annotations"]
        (seen[image["path"]],) = annotation["masks"]
    assert seen.keys() == masks.keys()
    for path, said in seen.items():
        a, b = masks[path].astype(bool), others[path].astype(bool)
        assert (said["before"], said["after"]) == (a.sum(), b.sum())
        assert (said["gained"], said["lost"]) == ((b & ~a).sum(), (a & ~b).sum())
        assert said["iou"] == pytest.approx((a & b).sum() / (a | b).sum(), abs=1e-12)
        rles = [coco_mask.encode(np.asfortranarray(m.astype(np.uint8))) for m in (a, b)]
        assert said["iou"] == pytest.approx(coco_mask.iou(rles[:1], rles[1:], [0])[0, 0], abs=1e-12)


def test_a_pack_is_a_tar_that_python_reads_with_one_annotators_images_alone(rival10, project):
    folder, masks = project
    rival10("assign", "--to", "ada,bob", "--pack", folder.parent / "out", cwd=folder)
    given = {"ada": set(), "bob": set()}
    for name, paths in given.items():
        with tarfile.open(folder.parent / "out" / f"{name}.tar") as tar:
            members = {member.name for member in tar.getmembers()}
            assert all(member.isfile() for member in tar.getmembers())
            paths |= {member for member in members if member in masks}
            for path in paths:
                assert tar.extractfile(path).read() == (folder / path).read_bytes()
            database = folder.parent / f"{name}.db"
            database.write_bytes(tar.extractfile("rival10.db").read())
        with sqlite3.connect(database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert {row[0] for row in connection.execute("SELECT path FROM images")} == paths
            people = connection.execute(
                "SELECT DISTINCT name FROM annotations JOIN annotators ON annotators.id = annotations.annotator"
            ).fetchall()
            assert people == ([("ada",)] if name == "ada" else []), "blind to each other"
    assert given["ada"] | given["bob"] == masks.keys() and not given["ada"] & given["bob"]
    assert {len(paths) for paths in given.values()} == {3}


def test_a_backup_is_a_sound_database_for_sqlite_itself(rival10, project):
    folder, _ = project
    backup = json.loads(rival10("backup", "--json", cwd=folder))["backup"]
    with sqlite3.connect(f"file:{backup}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("SELECT count(*) FROM images").fetchone() == (6,)


def test_a_released_coco_file_has_the_manifests_digest_and_numbers(rival10, project):
    folder, masks = project
    rival10("export", "--format", "coco", "--out", "v1.json", "--release", "v1", cwd=folder)
    manifest = json.loads((folder / "v1.release.json").read_text())
    digest = hashlib.sha256((folder / "v1.json").read_bytes()).hexdigest()
    assert list(manifest["files"].values()) == [digest]
    coco = json.loads((folder / "v1.json").read_text())
    numbers = {image["file_name"]: image["id"] for image in coco["images"]}
    assert {image["path"]: image["id"] for image in manifest["images"]} == numbers
    assert numbers.keys() == masks.keys()
