"""What holes are filled with, against NumPy and SciPy: moments, the Gaussian filter, the sparse solution of Laplace's
equation, and the largest rectangle by exhaustive search."""

import subprocess

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse
import scipy.sparse.linalg


class Filled:
    def __init__(self, program, folder, width, height, hole, seed=1):
        rng = np.random.default_rng(seed)
        # A smooth picture with some texture, as photos are.
        coarse = rng.random((3, height // 8 + 2, width // 8 + 2))
        smooth = np.stack([scipy.ndimage.zoom(c, 8, order=3)[:height, :width] for c in coarse])
        self.picture = np.clip(smooth + rng.normal(0, 0.05, smooth.shape), 0, 1).astype(np.float32)
        self.hole = hole.astype(np.float32)
        self.picture.tofile(folder / "picture.f32")
        self.hole.tofile(folder / "hole.f32")
        subprocess.run([program, str(width), str(height), folder], check=True)
        self.shape = (3, height, width)
        self.folder = folder

    def __getitem__(self, name):
        return np.fromfile(self.folder / f"{name}.f32", "<f4").reshape(self.shape)

    def mixed(self, fill):
        return self.picture * (1 - self.hole) + fill * self.hole


def ellipse(width, height):
    y, x = np.mgrid[:height, :width]
    return ((x - width * 0.45) / (width * 0.3)) ** 2 + ((y - height * 0.55) / (height * 0.35)) ** 2 < 1


HOLES = {
    "object": lambda w, h: ellipse(w, h),
    "background": lambda w, h: ~ellipse(w, h),
    "scattered": lambda w, h: np.random.default_rng(2).random((h, w)) < 0.3,
}


@pytest.fixture(scope="module", params=HOLES)
def filled(request, example, tmp_path_factory):
    width, height = 96, 72
    return Filled(example("fills"), tmp_path_factory.mktemp("fills"), width, height, HOLES[request.param](width, height))


def test_gray_mean_and_noise_have_the_stated_values(filled):
    left = filled.hole == 0
    np.testing.assert_allclose(filled["gray"], filled.mixed(np.float32(0.5)), atol=1e-6)
    rest = filled.picture[:, left].astype(float)
    mean, deviation = rest.mean(axis=1)[:, None, None], rest.std(axis=1)[:, None, None]
    np.testing.assert_allclose(filled["mean"], filled.mixed(mean), atol=1e-6)
    noise = np.clip(mean + deviation * np.fromfile(filled.folder / "field.f32", "<f4").reshape(filled.shape), 0, 1)
    np.testing.assert_allclose(filled["noise"], filled.mixed(noise), atol=1e-6)


def test_blur_equals_scipys_gaussian_filter(filled):
    sigma = min(filled.shape[1:]) / 16
    blurred = np.stack([scipy.ndimage.gaussian_filter(plane.astype(float), sigma) for plane in filled.picture])
    np.testing.assert_allclose(filled["blur"], filled.mixed(blurred), atol=1e-6)


def test_inpainting_equals_scipys_solution_of_laplaces_equation(filled):
    unknown = filled.hole > 0
    height, width = unknown.shape
    number = np.full(unknown.shape, -1)
    number[unknown] = np.arange(unknown.sum())
    matrix = scipy.sparse.lil_matrix((unknown.sum(), unknown.sum()))
    right = np.zeros((unknown.sum(), 3))
    for i, (y, x) in enumerate(np.argwhere(unknown)):
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= v < height and 0 <= u < width:
                matrix[i, i] += 1
                if unknown[v, u]:
                    matrix[i, number[v, u]] -= 1
                else:
                    right[i] += filled.picture[:, v, u]
    expected = filled.picture.astype(float)
    expected[:, unknown] = scipy.sparse.linalg.spsolve(matrix.tocsr(), right).T
    np.testing.assert_allclose(filled["inpainted"], expected, atol=1 / 510, err_msg="half a grey level")


def test_tiles_are_the_largest_free_rectangle_repeated(filled):
    free = filled.hole == 0
    height, width = free.shape
    sums = np.pad(free.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    best = (0, 0, 0, 0, 0)
    # Of equally large ones the first by its last row, then by its last column.
    for bottom in range(1, height + 1):
        for right in range(1, width + 1):
            tops, lefts = np.arange(bottom)[:, None], np.arange(right)[None, :]
            count = sums[bottom, right] - sums[tops, right] - sums[bottom, lefts] + sums[tops, lefts]
            area = (bottom - tops) * (right - lefts)
            area = np.where(count == area, area, 0)
            if area.max() > best[0]:
                top, left = np.unravel_index(area.argmax(), area.shape)
                best = (area.max(), top, left, bottom, right)
    area, top, left, bottom, right = best
    rows = top + (np.arange(height) - top) % (bottom - top)
    columns = left + (np.arange(width) - left) % (right - left)
    tiled = filled.picture[:, rows][:, :, columns]
    np.testing.assert_array_equal(filled["tiled"], np.where(filled.hole == 1, tiled, filled.picture))


def test_a_hole_of_a_whole_photo_takes_no_long_time(example, tmp_path):
    filled = Filled(example("fills"), tmp_path, 224, 224, HOLES["background"](224, 224))
    left = filled.hole == 0
    assert np.array_equal(filled["inpainted"][:, left], filled.picture[:, left])
