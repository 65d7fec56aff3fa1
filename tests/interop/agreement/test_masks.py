"""Agreement of masks: overlap against pycocotools and NumPy, boundary IoU against its authors' definition written in NumPy,
distances of outlines against DeepMind's surface-distance, whose definition ours is."""

import json
import subprocess

import numpy as np
import pytest
import surface_distance
from pycocotools import mask as coco
from scipy import ndimage

PAIRS = 600


@pytest.fixture(scope="module")
def pairs():
    """Blobs redrawn by a hand that trembles, blobs that have nothing to do with each other, noise, and empty masks."""
    rng = np.random.default_rng(11)

    def blob(height, width):
        y, x = np.mgrid[:height, :width]
        mask = np.zeros((height, width), bool)
        for _ in range(rng.integers(1, 4)):
            cy, cx = rng.uniform(0, height), rng.uniform(0, width)
            ry, rx = rng.uniform(0.5, height / 2), rng.uniform(0.5, width / 2)
            mask ^= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
        return mask

    def redrawn(mask):
        wobble = ndimage.gaussian_filter(rng.normal(size=mask.shape), 4) * 12
        return ndimage.gaussian_filter(mask.astype(float), 2) + wobble * 0.2 > 0.5

    pairs = []
    for i in range(PAIRS):
        height, width = rng.integers(1, 160, 2)
        if i % 10 == 9:
            a, b = (rng.random((height, width)) < rng.random() for _ in range(2))
        elif i % 10 == 8:
            a, b = np.zeros((height, width), bool), blob(height, width)
            a, b = (a, b) if i % 20 == 8 else (b, a)
        elif i % 10 == 7:
            a, b = blob(height, width), blob(height, width)
        else:
            a = blob(height, width)
            b = redrawn(a)
        pairs.append((a, b, float(rng.choice([0.0, 0.5, 1.0, 2.0, 3.7])), float(rng.choice([50, 90, 95, 100]))))
    return pairs


@pytest.fixture(scope="module")
def answers(example, pairs):
    def digits(mask):
        return (mask.astype(np.uint8) + ord("0")).tobytes().decode()

    cases = [
        {
            "case": "agreement",
            "height": a.shape[0],
            "width": a.shape[1],
            "a": digits(a),
            "b": digits(b),
            "tolerance": tolerance,
            "percentile": percentile,
        }
        for a, b, tolerance, percentile in pairs
    ]
    text = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run([example("mask_cases")], input=text, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(pairs)
    return answers


def encode(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


def test_iou_and_dice_are_those_of_pycocotools_and_numpy(pairs, answers):
    for (a, b, *_), answer in zip(pairs, answers):
        both, either = (a & b).sum(), (a | b).sum()
        assert answer["none"] == (either == 0)
        if either == 0:
            continue
        assert answer["iou"] == pytest.approx(both / either, abs=1e-12)
        assert answer["iou"] == pytest.approx(coco.iou([encode(a)], [encode(b)], [0])[0, 0], abs=1e-12)
        assert answer["dice"] == pytest.approx(2 * both / (a.sum() + b.sum()), abs=1e-12)
        assert answer["dice"] == pytest.approx(surface_distance.compute_dice_coefficient(a, b), abs=1e-12)


def inner_band(mask):
    """Cheng et al., CVPR 2021: what `dilation` erosions by a 3x3 square take from the mask padded with background."""
    dilation = max(1, int(round(0.02 * np.sqrt(mask.shape[0] ** 2 + mask.shape[1] ** 2))))
    eroded = ndimage.binary_erosion(np.pad(mask, 1), np.ones((3, 3)), iterations=dilation)
    return mask & ~eroded[1:-1, 1:-1]


def test_boundary_iou_is_that_of_its_authors(pairs, answers):
    for (a, b, *_), answer in zip(pairs, answers):
        a, b = inner_band(a), inner_band(b)
        either = (a | b).sum()
        assert answer["boundary_iou"] == pytest.approx((a & b).sum() / either if either else 0.0, abs=1e-12)


def test_erosion_is_scipys(pairs, answers):
    for (a, *_), answer in zip(pairs, answers):
        expected = ndimage.binary_erosion(a, np.ones((3, 3)), iterations=2)
        assert answer["eroded"] == encode(expected)["counts"].decode()


def test_distances_are_those_of_surface_distance(pairs, answers):
    compared = 0
    for (a, b, tolerance, percentile), answer in zip(pairs, answers):
        if not a.any() and not b.any():
            assert answer["hausdorff"] is None and answer["nsd"] is None
            continue
        distances = surface_distance.compute_surface_distances(a, b, spacing_mm=(1, 1))
        for name, at in [("hd95", 95), ("hausdorff", percentile)]:
            expected = surface_distance.compute_robust_hausdorff(distances, at)
            if np.isinf(expected):
                assert answer[name] is None, "null stands for infinity"
            else:
                assert answer[name] == pytest.approx(expected, abs=1e-6)
                compared += 1
        expected = surface_distance.compute_surface_dice_at_tolerance(distances, tolerance)
        assert answer["nsd"] == pytest.approx(expected, abs=1e-6)
    assert compared > PAIRS
