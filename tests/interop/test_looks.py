"""Where networks look, computed again without the project's code: the rows that a run leaves in its Parquet files, from the
pictures, the masks and the network in onnxruntime, and the report's numbers from the rows.

The network is the fixture CNN, whose head is linear behind an average over positions, so that Grad-CAM is the head's weights
times the activations; its input has the pictures' size, so that nothing is resized but maps.
"""

import base64
import json
import pathlib
import sqlite3
import subprocess

import numpy as np
import onnx
import onnxruntime
import pyarrow.parquet
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from scipy.special import logit, softmax
from sklearn.metrics import average_precision_score, roc_auc_score
from statsmodels.stats.multitest import multipletests
from test_alignment import expected

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "fixtures/models/cnn.onnx"
CLASSES = ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"]
LAYER = "/layer3/act2/Relu_output_0"
SIDE, STEPS = 64, 16
STUDY = {"IoU": "iou", "delta density": "delta_density", "average precision": "average_precision",
         "saliency precision": "precision", "saliency recall at 25%": "recall_25"}


@pytest.fixture(scope="module")
def project(tmp_path_factory, rival10):
    """Scenes with the shortcuts that the network learned, and the network."""
    folder = tmp_path_factory.mktemp("looks")
    rival10("synth", "--n", 240, "--size", SIDE, "--seed", 5, "--shortcut", "ship=water:0.9", "--out", ".", cwd=folder)
    rival10("init", ".", cwd=folder)
    rival10("import", "--format", "rival10", "RIVAL10", cwd=folder)
    rival10("models", "add", "cnn", MODEL, "--labels", "rival10", "--preset", "none", cwd=folder)
    rival10("export", "--format", "coco", "--out", "coco", cwd=folder)
    return folder


def analyze(rival10, project, plugin, *settings):
    """The report, and every phase's rows as lists of dicts."""
    given = [part for setting in settings for part in ("--set", setting)]
    done = json.loads(rival10("analyze", "--plugin", plugin, "--model", "cnn", *given, "--json", cwd=project))
    files = sorted((project / "runs" / done["run"]).glob("rows-*.parquet"))
    return done["report"], {f.stem.split("-", 2)[2]: pyarrow.parquet.read_table(f).to_pylist() for f in files}


def table(report, name):
    found = next(table for table in report["tables"] if table["name"] == name)
    return [dict(zip(found["columns"], row)) for row in found["rows"]]


class Scenes:
    """Pictures and masks by the images' numbers, and the network's answers."""

    def __init__(self, project):
        self.pictures, self.objects, self.files = {}, {}, {}
        numbers = {path: image for image, path in sqlite3.connect(project / "rival10.db").execute("SELECT id, path FROM images")}
        for document in (project / "coco").glob("annotations/*.json"):
            document = json.loads(document.read_text())
            classes = {c["id"] for c in document["categories"] if c["name"] in CLASSES}
            ours = {i["id"]: next(n for p, n in numbers.items() if p.endswith(i["file_name"])) for i in document["images"]}
            for image in document["images"]:
                path = project / "RIVAL10" / image["file_name"]
                pixels = np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)
                self.pictures[ours[image["id"]]] = pixels / np.float32(255)
                self.files[ours[image["id"]]] = path
            for annotation in document["annotations"]:
                if annotation["category_id"] in classes:
                    rle = annotation["segmentation"]
                    if isinstance(rle["counts"], list):
                        rle = coco_mask.frPyObjects(rle, *rle["size"])
                    self.objects[ours[annotation["image_id"]]] = coco_mask.decode(rle).astype(bool)
        assert len(self.objects) == len(self.pictures) == len(numbers)
        model = onnx.load(MODEL)
        model.graph.output.append(onnx.helper.make_tensor_value_info(LAYER, onnx.TensorProto.FLOAT, None))
        self.session = onnxruntime.InferenceSession(model.SerializeToString())
        linear = next(node for node in model.graph.node if node.op_type == "Gemm")
        weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self.head = weights[linear.input[1]].astype(float)

    def run(self, pictures):
        logits, layer = self.session.run(["logits", LAYER], {"images": np.asarray(pictures, np.float32)})
        return logits.astype(float), layer.astype(float)

    def grad_cam(self, image):
        """The map, the predicted class and its probability."""
        logits, layer = self.run(self.pictures[image][None])
        predicted = int(logits[0].argmax())
        cam = np.maximum(np.tensordot(self.head[predicted] / layer[0, 0].size, layer[0], 1), 0)
        return scaled(bilinear(scaled(cam))).astype(np.float32), predicted, softmax(logits[0])[predicted]


def scaled(values):
    values = values - values.min()
    return values / (values.max() + 1e-7)


def bilinear(values, side=SIDE):
    """Half-pixel centres, no antialias."""
    at = np.clip((np.arange(side) + 0.5) * values.shape[0] / side - 0.5, 0, values.shape[0] - 1)
    low = np.floor(at).astype(int)
    high, share = np.minimum(low + 1, values.shape[0] - 1), at - low
    rows = values[low] * (1 - share)[:, None] + values[high] * share[:, None]
    return rows[:, low] * (1 - share) + rows[:, high] * share


@pytest.fixture(scope="module")
def scenes(project):
    return Scenes(project)


@pytest.fixture(scope="module")
def alignment(project, rival10):
    return analyze(rival10, project, "saliency-alignment", "method=grad_cam,hires_cam", f"faithfulness={STEPS}", "extremes=2")


def test_rows_are_the_metrics_of_grad_cam_on_the_object(alignment, scenes):
    rows = [row for row in alignment[1]["align"] if row["method"] == "grad_cam"]
    assert len(rows) == len(scenes.pictures)
    for row in rows:
        found, predicted, p = scenes.grad_cam(row["image"])
        wanted = expected(found, scenes.objects[row["image"]])
        recall = dict(zip(("recall_25", "recall_50", "recall_75"), wanted.pop("recall")))
        assert (row["prediction"], row["explained"]) == (predicted, predicted)
        assert row["p"] == pytest.approx(p, abs=1e-4)
        # A pixel at the border of a threshold may fall on either side: single precision here and there rounds otherwise.
        for name, value in (wanted | recall).items():
            near = 2e-3 if name in ("iou", "recall_25", "recall_50", "recall_75", "top", "rank_accuracy") else 1e-4
            assert row[name] == pytest.approx(value, abs=near), (row["image"], name)
        order = np.sort(found.astype(float).ravel())
        n = order.size
        gini = ((2 * np.arange(1, n + 1) - n - 1) * order).sum() / (n * order.sum())
        assert row["gini"] == pytest.approx(gini, abs=1e-4)


def test_baselines_are_maps_that_know_no_picture(alignment, scenes):
    axis = (np.arange(SIDE) + 0.5 - SIDE / 2) / (SIDE / 4)
    gaussian = np.exp(-0.5 * (axis[None] ** 2 + axis[:, None] ** 2)).astype(np.float32)
    maps = {"centre-gaussian": gaussian, "uniform": np.ones((SIDE, SIDE), np.float32)}
    for row in alignment[1]["align"]:
        if row["method"] in maps:
            wanted = expected(maps[row["method"]], scenes.objects[row["image"]])
            for name in ("iou", "delta_density", "average_precision", "precision", "auroc", "top", "rank_accuracy", "pointing"):
                assert row[name] == pytest.approx(wanted[name], abs=1e-6), (row["image"], name)


def test_the_report_is_the_class_balanced_mean_of_the_rows(alignment):
    report, phases = alignment
    for shown in table(report, "alignment"):
        rows = [row for row in phases["align"] if row["method"] == shown["method"]]
        for name, column in STUDY.items():
            classes = {}
            for row in rows:
                if row[column] is not None:
                    classes.setdefault(row["explained"], []).append(row[column])
            assert shown[name] == pytest.approx(np.mean([np.mean(values) for values in classes.values()]), abs=1e-9)
            low, high = shown[f"{name} low"], shown[f"{name} high"]
            resample = np.random.default_rng(1)
            means = [np.mean([resample.choice(v, len(v)).mean() for v in classes.values()]) for _ in range(2000)]
            spread = np.std(means)
            assert np.allclose([low, high], np.quantile(means, [0.025, 0.975]), atol=0.25 * spread + 1e-9)


def test_extremes_are_the_best_and_worst_of_their_class_with_their_maps(alignment, scenes):
    report, phases = alignment
    rows = [row for row in phases["align"] if row["method"] == "grad_cam" and not row["constant"]]
    kept = [row for row in phases["extremes"] if row["method"] == "grad_cam"]
    assert list(kept[0]) == ["image", "model", "method", "side", "class", "rank", "score", "map"]
    for row in kept:
        own = sorted((r["delta_density"] for r in rows if r["explained"] == row["class"]), reverse=row["side"] == "best")
        assert row["score"] == own[row["rank"] - 1]
        size, levels = row["map"].split(":")
        assert size == "56x56"
        levels = np.frombuffer(base64.b64decode(levels), np.uint8).reshape(56, 56)
        # The mean over what each of 56 x 56 cells covers of 64 x 64 pixels: repeat each pixel 7 times, average 8 x 8.
        full = np.repeat(np.repeat(scenes.grad_cam(row["image"])[0], 7, 0), 7, 1)
        wanted = full.reshape(56, 8, 56, 8).mean((1, 3)) * 255
        assert np.abs(levels - wanted).max() < 0.6


def test_insertion_and_deletion_are_petsiuks_areas(alignment, scenes, example, tmp_path):
    plain = json.dumps({"scale": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3, "framing": {"whole": {"filter": "bilinear"}}})
    rows = [row for row in alignment[1]["align"] if row["method"] == "grad_cam"][:12]
    for row in rows:
        picture = scenes.pictures[row["image"]].astype("<f4")
        picture.tofile(tmp_path / "picture.f32")
        subprocess.run([example("maps"), MODEL, plain, tmp_path / "out", "grad_cam", "predicted", tmp_path / "picture.f32"],
                       check=True, capture_output=True)
        order = np.argsort(-np.fromfile(tmp_path / "out.grad_cam.map.f32", "<f4"), kind="stable")
        nothing = np.full_like(picture, 0.5)
        for name, start, end in (("deletion", picture, nothing), ("insertion", nothing, picture)):
            steps = []
            for step in range(STEPS + 1):
                now = start.reshape(3, -1).copy()
                until = order[: step * order.size // STEPS]
                now[:, until] = end.reshape(3, -1)[:, until]
                steps.append(now.reshape(picture.shape))
            p = softmax(scenes.run(steps)[0], axis=1)[:, row["explained"]]
            assert row[name] == pytest.approx(np.trapezoid(p, dx=1 / STEPS), abs=1e-4), (row["image"], name)


def numbers(text):
    return np.frombuffer(base64.b64decode(text), "<f4").astype(float)


def test_units_are_scored_as_scikit_learn_scores_them(project, rival10, scenes):
    report, phases = analyze(rival10, project, "neural-features", "quantile=0.98", "threshold-images=40")
    features = {row["image"]: row for row in phases["features"]}
    kept = []
    for image, row in features.items():
        layer = scenes.run(scenes.pictures[image][None])[1][0]
        assert np.allclose(numbers(row["pooled"]), layer.mean((1, 2)), atol=1e-4)
        assert np.allclose(numbers(row["weights"]), scenes.head[row["class"]], atol=1e-4)
        if row["activations"] is not None:
            kept.append(numbers(row["activations"]).reshape(layer.shape[0], -1))
            assert row["part"] == "choose" and np.allclose(kept[-1], layer.reshape(layer.shape[0], -1), atol=1e-4)
    assert len(kept) == 40
    thresholds = np.quantile(np.concatenate(kept, 1), 0.98, axis=1)

    matches = phases["match"]
    for row in matches:
        both, either = numbers(row["intersection"]), numbers(row["union"])
        area = round(row["area"] * SIDE * SIDE)
        layer = scenes.run(scenes.pictures[row["image"]][None])[1][0]
        active = np.array([(bilinear(unit) > t).sum() for unit, t in zip(layer, thresholds)])
        # |mask| + |active| = |either| + |both|, but for pixels at the border of the threshold.
        assert np.abs(area + active - either - both).max() <= 2
    for shown in table(report, "units"):
        scoring = [row for row in matches if row["attribute"] == shown["attribute"] and row["part"] == "score"]
        unit = shown["unit"]
        both = sum(numbers(row["intersection"])[unit] for row in scoring)
        either = sum(numbers(row["union"])[unit] for row in scoring)
        assert shown["IoU"] == pytest.approx(both / either, abs=1e-9)
        precision = np.mean([numbers(row["average_precision"])[unit] for row in scoring])
        assert shown["average precision"] == pytest.approx(precision, abs=1e-6)
        choosing = [row for row in matches if row["attribute"] == shown["attribute"] and row["part"] == "choose"]
        ious = sum(numbers(r["intersection"]) for r in choosing) / sum(numbers(r["union"]) for r in choosing)
        assert unit == ious.argmax() and shown["chosen IoU"] == pytest.approx(ious.max(), abs=1e-9)
    names = [shown["attribute"] for shown in table(report, "presence")]
    taxonomy = ("long-snout wings wheels text horns floppy-ears ears colored-eyes tail mane beak hairy metallic rectangular wet "
                "long tall patterned").split()
    assert set(names) <= set(taxonomy)
    for shown in table(report, "presence"):
        at = taxonomy.index(shown["attribute"])
        scoring = [row for row in features.values() if row["part"] == "score" and row["attributes"][at] != "-"]
        has = [row["attributes"][at] == "y" for row in scoring]
        assert shown["with it"] == sum(has)
        if any(has) and not all(has):
            wanted = roc_auc_score(has, [numbers(row["pooled"])[shown["unit"]] for row in scoring])
            assert shown["AUROC"] == pytest.approx(wanted, abs=1e-9)


def test_average_precision_of_units_inside_wheels(project, rival10, scenes):
    """The masks of one attribute, from the published layout's own dictionary, through scikit-learn."""
    import io
    import pickle

    _, phases = analyze(rival10, project, "neural-features", "quantile=0.98", "threshold-images=40")
    tried = 0
    for row in [row for row in phases["match"] if row["attribute"] == "wheels"][:6]:
        path = scenes.files[row["image"]]
        entry = pickle.loads(path.with_name(path.stem + "_attr_dict.pkl").read_bytes())["wheels"]
        text = entry.decode() if isinstance(entry, bytes) else entry
        png = base64.b64decode(text.split(",")[-1])
        mask = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).any(-1)
        layer = scenes.run(scenes.pictures[row["image"]][None])[1][0]
        found = numbers(row["average_precision"])
        for unit in range(0, len(layer), 5):
            wanted = average_precision_score(mask.ravel(), bilinear(layer[unit]).astype(np.float32).ravel())
            assert found[unit] == pytest.approx(wanted, abs=2e-4)
            tried += 1
    assert tried > 20


def test_findings_are_what_the_rows_of_the_interventions_say(project, rival10):
    report, phases = analyze(rival10, project, "spurious-features", "members=4")
    for row in phases["confirm"]:
        after, control = row["after"], row["control"]
        if 1e-6 < min(after, control) and max(after, control) < 1 - 1e-6:
            moved = logit(after) - logit(control)
            wanted = -moved if row["intervention"].startswith("removed") else moved
            assert row["effect"] == pytest.approx(wanted, abs=1e-6)
    assert not {row["image"] for row in phases["discover"]} & {row["image"] for row in phases["confirm"]}
    candidates = table(report, "candidates")
    assert candidates
    tested = []
    for shown in candidates:
        own = [row for row in phases["confirm"] if CLASSES[row["class"]] == shown["class"]
               and f"group {row['group'] + 1}" == shown["background"]]
        assert shown["confirmed"] == len({row["image"] for row in own})
        for kind, made_of in {"transplanted": ("pasted", "swapped"), "pasted": ("pasted",), "swapped": ("swapped",),
                              "removed": ("removed",)}.items():
            images = {}
            for row in own:
                if row["intervention"].split("-")[0] in made_of:
                    images.setdefault(row["image"], []).append(row["effect"])
            wanted = np.mean([np.mean(effects) for effects in images.values()]) if images else None
            assert shown[kind] == (None if wanted is None else pytest.approx(wanted, abs=1e-9))
        if shown["q"] is not None:
            tested.append(shown)
    wanted = multipletests([shown["p"] for shown in tested], method="fdr_bh")[1]
    assert np.allclose([shown["q"] for shown in tested], wanted, atol=1e-12)
    found = [shown for shown in tested if shown["verdict"] == "found"]
    assert all(shown["q"] <= 0.05 for shown in found) and len(found) == len(table(report, "findings"))
