"""Faithfulness, sparseness and localisation against Quantus (Hedstroem et al., JMLR 2023), where it defines the same thing, and
insertion and deletion against RISE's own evaluation as well. The fixture CNN is read by PyTorch for that.

Conventions that differ, each undone here:

- Pixel flipping (Bach et al., 2015) is deletion, and the area is better low, as ours; its curve begins behind the first step,
  and its area is a sum over steps of width 1. Ours has the picture as it is for its first point and lies in [0, 1].
- A map of one channel is repeated for each colour, and a step counts colours: three times the pixels of ours.
- Insertion is pixel flipping from nothing to the picture.
- Among equally salient pixels Quantus goes by NumPy's unstable sort, RISE by the reverse of it, ours by rows: maps here have no
  ties.
- Sparseness adds 1e-7 to each value before it takes the Gini coefficient; high is sparse in both.
- The pointing game allows no distance, and one hit among several peaks is a hit; ours allows 15 pixels of 224, and gives the
  share. Both are compared where neither matters.
- Relevance mass accuracy is our precision, relevance rank accuracy ours, top-k intersection ours at 5% of the pixels, AUC our
  AUROC. All are better high. Attribution localisation divides by the sum plus 1e-9, which is our precision to 1e-6.
- Quantus gives NaN where there is no object and a number where there is nothing else; ours has none for either.
- Model parameter randomisation (MPRT) draws its own weights, and its explanations are its own functions': only how two maps are
  compared can be exchanged, Spearman's correlation, higher is more alike.
"""

import json
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
import quantus
import torch
from onnx_in_torch import Network
from scipy.ndimage import binary_dilation, gaussian_filter

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODEL = ROOT / "fixtures/models/cnn.onnx"
LAYER = "/layer3/act2/Relu_output_0"
SIDE, STEPS = 64, 16
PIXELS = SIDE * SIDE


@pytest.fixture(scope="module")
def network():
    return Network(onnx.load(MODEL), LAYER).eval()


@pytest.fixture(scope="module")
def pictures():
    return (np.load(ROOT / "fixtures/models/inputs.npy").transpose(0, 3, 1, 2) / np.float32(255)).astype(np.float32)


@pytest.fixture(scope="module")
def classes(network, pictures):
    with torch.no_grad():
        return network(torch.from_numpy(pictures)).argmax(1).numpy()


def maps_of(count, seed):
    """Smooth maps in [0, 1] of which no two pixels are alike."""
    rng = np.random.default_rng(seed)
    maps = []
    for _ in range(count):
        blobs = gaussian_filter(rng.random((SIDE, SIDE)), 6)
        order = blobs.ravel().argsort().argsort().reshape(SIDE, SIDE)
        maps.append(((order + 1) / PIXELS) ** 3)
    return np.float32(maps)


def masks_of(count, seed):
    rng = np.random.default_rng(seed)
    return np.stack([gaussian_filter(rng.random((SIDE, SIDE)), 8) > 0.5 for _ in range(count)])


class Flipping(quantus.PixelFlipping):
    """Of any number of pixels, not only of those that a step divides."""

    def custom_preprocess(self, **kwargs):
        pass


def theirs(network, start, end, map_, number):
    """Quantus' curve from `start` to `end`, with its first point, and the area under it over [0, 1]."""

    def replaced(arr, indices, **_):
        arr = arr.copy()
        rows = np.arange(len(arr))[:, None]
        arr[rows, indices] = end.reshape(1, -1)[:, indices[0]]
        return arr

    metric = Flipping(features_in_step=3 * PIXELS // STEPS, normalise=False, abs=False, perturb_func=replaced,
                      disable_warnings=True)
    curve = metric(model=network, x_batch=start[None], y_batch=np.array([number]), a_batch=map_[None, None], softmax=True,
                   channel_first=True, device="cpu")[0]
    with torch.no_grad():
        first = network(torch.from_numpy(start[None])).softmax(1)[0, number].item()
    return np.trapezoid([first, *curve], dx=1 / STEPS)


def rise(network, start, end, map_, number):
    """The area as the RISE authors evaluate it (CausalMetric.single_run and auc of evaluation.py in github.com/eclique/RISE)."""
    salient_order = np.flip(np.argsort(map_.reshape(-1, PIXELS), axis=1), axis=-1)
    step, now = PIXELS // STEPS, start.copy()
    scores = np.empty(STEPS + 1)
    for i in range(STEPS + 1):
        with torch.no_grad():
            scores[i] = network(torch.from_numpy(now[None])).softmax(1)[0, number].item()
        if i < STEPS:
            coords = salient_order[:, step * i:step * (i + 1)]
            now.reshape(3, PIXELS)[:, coords] = end.reshape(3, PIXELS)[:, coords]
    return (scores.sum() - scores[0] / 2 - scores[-1] / 2) / (len(scores) - 1)


def ours(example, folder, picture, nothing, number, maps):
    files = []
    for name, array in {"picture": picture, "nothing": nothing, **{f"map{i}": m for i, m in enumerate(maps)}}.items():
        files.append(folder / f"{name}.f32")
        np.ascontiguousarray(array, "<f4").tofile(files[-1])
    done = subprocess.run([example("faithfulness"), MODEL, str(number), str(STEPS), *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_insertion_and_deletion_are_quantus_pixel_flipping_and_rises_causal_metric(network, pictures, classes, example, tmp_path):
    largest = 0
    for i, (picture, number) in enumerate(zip(pictures, classes)):
        nothing = np.full_like(picture, 0.5)
        maps = maps_of(3, i)
        found = ours(example, tmp_path, picture, nothing, number, maps)
        for map_, entry in zip(maps, found):
            for name, start, end in (("deletion", picture, nothing), ("insertion", nothing, picture)):
                for published in (theirs, rise):
                    expected = published(network, start, end, map_, number)
                    largest = max(largest, abs(entry[name] - expected))
                    assert entry[name] == pytest.approx(expected, abs=1e-5), (i, name, published.__name__)
    print(f"largest difference {largest:.1e}")


def test_sparseness_is_quantus_gini(example, pictures, network, tmp_path):
    maps = maps_of(4, 20)
    maps[1] = maps[1] ** 9
    maps[2] = np.where(maps[2] > 0.7, maps[2], 0)
    # They refuse a map that is the same everywhere, whose Gini coefficient is 0.
    maps[3] = 0.25 + maps[3] / 100
    found = ours(example, tmp_path, pictures[0], pictures[0], 0, maps)
    for map_, entry in zip(maps, found):
        # Their function adds to what it is given.
        metric = quantus.Sparseness(normalise=False, abs=False, disable_warnings=True)
        expected = metric(model=network, x_batch=pictures[:1], y_batch=np.array([0]), a_batch=map_.astype(float)[None, None],
                          channel_first=True, device="cpu")[0]
        total = map_.astype(float).sum()
        assert entry["gini"] * total / (total + PIXELS * 1e-7) == pytest.approx(expected, abs=1e-6)


def test_localisation_is_quantus(example, pictures, network, tmp_path):
    maps, masks = maps_of(12, 30), masks_of(12, 31)
    assert all(0 < mask.sum() < PIXELS for mask in masks)
    files = []
    for i, (map_, mask) in enumerate(zip(maps, masks)):
        files.append(tmp_path / f"{i}.bin")
        files[-1].write_bytes(map_.astype("<f4").tobytes() + mask.astype(np.uint8).tobytes())
    done = subprocess.run([example("alignment"), str(SIDE), str(SIDE), *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    plain = {"normalise": False, "abs": False, "disable_warnings": True}
    batch = {"model": network, "x_batch": np.repeat(pictures[:1], len(maps), 0), "y_batch": np.zeros(len(maps), int),
             "a_batch": maps.astype(float)[:, None], "s_batch": masks[:, None], "channel_first": True, "device": "cpu"}
    for name, metric in {
        "precision": quantus.RelevanceMassAccuracy(**plain),
        "rank_accuracy": quantus.RelevanceRankAccuracy(**plain),
        "auroc": quantus.AUC(**plain),
        "top": quantus.TopKIntersection(k=round(0.05 * PIXELS), **plain),
    }.items():
        assert [entry[name] for entry in found] == pytest.approx(np.float64(metric(**batch)), abs=1e-6), name
    localisation = quantus.AttributionLocalisation(**plain)(**batch)
    assert [entry["precision"] for entry in found] == pytest.approx(np.float64(localisation), abs=1e-6)

    # A peak on the object hits for both, and one far from it misses for both.
    hits = np.float64(quantus.PointingGame(**plain)(**batch))
    reach = int(15 / 224 * SIDE)
    compared = 0
    for map_, mask, entry, hit in zip(maps, masks, found, hits):
        peak = np.unravel_index(map_.argmax(), map_.shape)
        near = binary_dilation(mask, iterations=2 * reach)[peak]
        if mask[peak] or not near:
            compared += 1
            assert entry["pointing"] == hit
    assert compared >= 6 and 0 < hits.mean() < 1
