"""Alignment of maps with masks against NumPy and scikit-learn.

Guards the definitions of the study that the toolkit follows, ties, empty maps and empty masks included.
"""

import json
import subprocess

import numpy as np
import pytest
from blake3 import blake3
from scipy.ndimage import distance_transform_edt
from sklearn.metrics import average_precision_score, roc_auc_score


def expected(g, m):
    """The metrics by their definitions, in NumPy's double precision."""
    if not m.any() or m.all():
        return None
    g32, g = g.ravel(), g.astype(np.float64).ravel()
    shape, m = m.shape, m.ravel()
    with np.errstate(invalid="ignore"):
        salient = np.nan_to_num(g32 / g32.max()) >= 0.5
    found = {
        "iou": ((salient & m).sum() + 1e-10) / ((salient | m).sum() + 1e-10),
        "delta_density": g[m].mean() - g[~m].mean(),
        "average_precision": average_precision_score(m, g),
        "precision": g[m].sum() / g.sum() if g.sum() > 0 else None,
        "auroc": roc_auc_score(m, g),
    }
    ascending = np.sort(g)
    running = np.cumsum(ascending)
    recall = []
    for t in (0.25, 0.5, 0.75):
        beyond = np.flatnonzero(running > t * running[-1])
        recall.append((((g >= ascending[beyond[0]]) & (g > 0) & m).sum() / m.sum()) if len(beyond) else 0.0)
    found["recall"] = recall

    def top(k):
        """Ties at the border in expectation."""
        border = np.sort(g)[-k]
        sure, tied = g > border, g == border
        return ((sure & m).sum() + (tied & m).sum() / tied.sum() * (k - sure.sum())) / k

    found["top"], found["rank_accuracy"] = top(max(round(0.05 * g.size), 1)), top(m.sum())
    near = distance_transform_edt(~m.reshape(shape)).ravel() <= 15 / 224 * max(shape)
    found["pointing"] = near[g == g.max()].mean()
    return found


def cases():
    rng = np.random.default_rng(11)
    height, width = 23, 31
    for density in (0.02, 0.3, 0.9):
        mask = rng.random((height, width)) < density
        smooth = rng.random((height, width)).astype(np.float32)
        yield "distinct", smooth, mask
        yield "ties", np.round(smooth * 4).astype(np.float32) / 4, mask
        yield "sparse", np.where(smooth > 0.95, smooth, 0).astype(np.float32), mask
        yield "the mask", mask.astype(np.float32), mask
        yield "constant", np.full((height, width), 0.3, np.float32), mask
        yield "empty", np.zeros((height, width), np.float32), mask
        yield "one pixel", np.eye(height, width, dtype=np.float32) * (np.arange(width) == 3), mask
    yield "no object", smooth, np.zeros((height, width), bool)
    yield "object everywhere", smooth, np.ones((height, width), bool)


def test_alignment_is_numpys_and_scikit_learns(example, tmp_path):
    files, wanted = [], []
    for i, (name, g, m) in enumerate(cases()):
        files.append(tmp_path / f"{i}.bin")
        files[-1].write_bytes(g.astype("<f4").tobytes() + m.astype(np.uint8).tobytes())
        wanted.append((name, expected(g, m)))
    done = subprocess.run([example("alignment"), "31", "23", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(wanted) == 23
    for line, (name, theirs) in zip(lines, wanted):
        ours = json.loads(line)
        assert (ours is None) == (theirs is None), name
        if theirs is None:
            continue
        assert set(ours) == set(theirs)
        for metric, value in theirs.items():
            assert ours[metric] == pytest.approx(value, abs=1e-6), (name, metric)


def test_baselines_are_a_gaussian_ones_and_philoxs_draws(example, tmp_path):
    width, height, seed = 12, 7, 5
    picture = tmp_path / "picture"
    picture.write_bytes(b"a picture")
    subprocess.run([example("alignment"), "baseline", str(width), str(height), str(seed), picture], check=True)
    read = lambda name: np.fromfile(tmp_path / f"picture.{name}.f32", "<f4").reshape(height, width)
    x = (np.arange(width) + 0.5 - width / 2) / (width / 4)
    y = (np.arange(height) + 0.5 - height / 2) / (height / 4)
    gaussian = np.exp(-0.5 * (x[None] ** 2 + y[:, None] ** 2))
    assert np.abs(read("centre-gaussian") - gaussian).max() < 1e-6
    assert (read("uniform") == 1).all()
    message = seed.to_bytes(8, "little") + blake3(b"a picture").digest() + bytes(8) + b"random map"
    key = int.from_bytes(blake3(message).digest()[:16], "little")
    # NumPy steps its counter before it draws.
    draw = lambda pixel: np.random.Generator(np.random.Philox(key=key, counter=(pixel - 1) % 2**256)).random()
    assert np.abs(read("random").ravel() - [draw(pixel) for pixel in range(width * height)]).max() < 1e-7
