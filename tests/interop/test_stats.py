"""The bootstrap against NumPy's Philox and SciPy's own interval code."""

import subprocess

import blake3
import numpy as np
import pytest

SEED, RESAMPLES = 7, 2000


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(3)
    classes = np.repeat([0, 2, 7], [13, 1, 8])
    return classes, np.column_stack([rng.random(22) < 0.6, rng.normal(size=22)]).astype(float)


@pytest.fixture(scope="module")
def resampled(example, table):
    classes, values = table
    lines = "\n".join(f"{c} {' '.join(map(repr, map(float, v)))}" for c, v in zip(classes, values))
    program = [example("resample"), str(SEED), str(RESAMPLES)]
    out = subprocess.run(program, input=lines, text=True, capture_output=True, check=True).stdout
    return np.array([[float(word) for word in line.split()] for line in out.splitlines()])


def test_resamples_are_those_of_numpys_philox(table, resampled):
    classes, values = table
    message = SEED.to_bytes(8, "little") + bytes(32) + bytes(8) + b"bootstrap"
    key = int.from_bytes(blake3.blake3(message).digest()[:16], "little")
    for b in range(RESAMPLES):
        means = []
        for c in np.unique(classes):
            own = values[classes == c]
            n = len(own)
            counter = ((b << 128) + (int(c) << 64) - 1) % 2**256
            words = np.random.Philox(key=key, counter=counter).random_raw(n)
            means.append(own[[int(word) * n >> 64 for word in words]].mean(axis=0))
        np.testing.assert_allclose(resampled[b], np.mean(means, axis=0), rtol=0, atol=1e-12)
