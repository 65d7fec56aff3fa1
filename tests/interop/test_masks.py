"""Masks against pycocotools: strings, areas, boxes, overlap, set operations and polygons are its own, bit for bit.
And against Pillow: PNG files both ways, and resizing to the nearest."""

import io
import json
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

# pycocotools 2.0.11 has not yet followed NumPy 2's __array__.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIDES = [1, 2, 3, 5, 8, 13, 31, 32, 33, 63, 64, 65, 100, 127, 128, 130, 224]


@pytest.fixture(scope="module")
def ask(example):
    """ask(cases) is the list of the toolkit's answers."""

    def ask(cases):
        text = "".join(json.dumps(case) + "\n" for case in cases)
        done = subprocess.run([example("mask_cases")], input=text, capture_output=True, text=True, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(cases)
        return answers

    return ask


def noise(rng, height, width):
    return rng.random((height, width)) < rng.random()


def blob(rng, height, width):
    """An ellipse or two, as an object is: one run in most columns."""
    y, x = np.mgrid[:height, :width]
    mask = np.zeros((height, width), bool)
    for _ in range(rng.integers(1, 4)):
        cy, cx = rng.uniform(0, height), rng.uniform(0, width)
        ry, rx = rng.uniform(0.5, height), rng.uniform(0.5, width)
        mask ^= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
    return mask


def thin(rng, height, width):
    """Lines one pixel wide, across, down and aslant."""
    mask = np.zeros((height, width), bool)
    mask[rng.integers(height)] = True
    mask[:, rng.integers(width)] ^= True
    steps = np.arange(min(height, width))
    mask[steps, (steps + rng.integers(width)) % width] ^= True
    return mask


def checks(rng, height, width):
    """A board of any pitch: at pitch 1 every run has length 1."""
    y, x = np.mgrid[:height, :width]
    return (y // rng.integers(1, 5) + x // rng.integers(1, 5)) % 2 == rng.integers(2)


def halves(rng, height, width):
    """Whole columns or whole rows."""
    mask = np.zeros((height, width), bool)
    (mask if rng.integers(2) else mask.T)[:, rng.integers(2) :: rng.integers(2, 4)] = True
    return mask


def single(rng, height, width):
    mask = np.zeros((height, width), bool)
    mask[rng.integers(height), rng.integers(width)] = True
    return mask


def empty(_, height, width):
    return np.zeros((height, width), bool)


def full(_, height, width):
    return np.ones((height, width), bool)


KINDS = [noise, blob, blob, thin, checks, halves, single, empty, full]


def random_size(rng):
    height, width = rng.choice(SIDES, 2)
    shape = rng.integers(8)
    return (1 if shape == 0 else int(height)), (1 if shape == 1 else int(width))


def random_mask(rng, height, width):
    return KINDS[rng.integers(len(KINDS))](rng, height, width)


def digits(mask):
    return (mask.astype(np.uint8) + ord("0")).tobytes().decode()


def encode(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


def text(rle):
    return rle["counts"].decode()


def test_strings_areas_boxes_overlap_and_set_operations_are_those_of_pycocotools(ask):
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(4000):
        size = random_size(rng)
        pairs.append((random_mask(rng, *size), random_mask(rng, *size)))
    answers = ask(
        [
            {"case": "pair", "height": a.shape[0], "width": a.shape[1], "a": digits(a), "b": digits(b)}
            for a, b in pairs
        ]
    )
    for (a, b), answer in zip(pairs, answers):
        rle_a, rle_b = encode(a), encode(b)
        assert answer["a"] == text(rle_a)
        assert answer["area"] == coco.area(rle_a) == a.sum()
        assert answer["bbox"] == coco.toBbox(rle_a).tolist()
        assert answer["union"] == text(coco.merge([rle_a, rle_b]))
        assert answer["intersection"] == text(coco.merge([rle_a, rle_b], intersect=True))
        assert answer["iou"] == coco.iou([rle_a], [rle_b], [0])[0, 0]
        # The uncompressed form: pycocotools compresses our counts to its own string.
        uncompressed = {"size": list(a.shape), "counts": answer["counts"]}
        assert coco.frPyObjects(uncompressed, *a.shape)["counts"] == rle_a["counts"]


def test_pycocotools_strings_are_decoded_to_the_pixels_that_it_encoded(ask):
    rng = np.random.default_rng(1)
    masks = [random_mask(rng, *random_size(rng)) for _ in range(2000)]
    masks += [np.zeros(size, bool) for size in [(0, 0), (0, 5), (5, 0)]]
    answers = ask(
        [
            {"case": "coco", "height": m.shape[0], "width": m.shape[1], "counts": text(encode(m))}
            for m in masks
        ]
    )
    for mask, answer in zip(masks, answers):
        assert answer["bitmap"] == digits(mask)


def test_large_masks_have_the_strings_of_pycocotools(ask):
    rng = np.random.default_rng(2)
    for kind in [noise, blob, thin, full]:
        a, b = kind(rng, 1500, 2100), blob(rng, 1500, 2100)
        (answer,) = ask([{"case": "pair", "height": 1500, "width": 2100, "a": digits(a), "b": digits(b)}])
        assert answer["a"] == text(encode(a))
        assert answer["union"] == text(coco.merge([encode(a), encode(b)]))


def random_ring(rng, height, width):
    """Rings of many kinds; all have three corners or more, as pycocotools takes four numbers for a box."""
    corners = int(rng.integers(3, 30))
    kind = rng.integers(9)
    span = np.array([width, height])
    if kind == 0:  # anything inside, self-intersecting
        ring = rng.uniform(0, 1, (corners, 2)) * span
    elif kind == 1:  # an honest outline
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radius = rng.uniform(0.2, 0.6, (corners, 1))
        ring = span * (0.5 + radius * np.stack([np.cos(angle), np.sin(angle)], 1))
    elif kind == 2:  # whole pixels
        ring = rng.integers(-3, max(height, width) + 4, (corners, 2)).astype(float)
    elif kind == 3:  # halves and fifths, where roundings are decided
        ring = rng.integers(-20, 5 * max(height, width) + 20, (corners, 2)) / rng.choice([2.0, 5.0, 10.0])
    elif kind == 4:  # far out of the image
        ring = rng.uniform(-3, 4, (corners, 2)) * span
    elif kind == 5:  # steep and flat edges in turn
        ring = rng.uniform(0, 1, (corners, 2)) * span
        ring[::2, 0] = ring[0, 0] + rng.uniform(-1, 1, len(ring[::2]))
    elif kind == 6:  # degenerate: all corners on one line, or on one point
        ring = rng.uniform(-0.2, 1.2, (1, 2)) * span + rng.uniform(-1, 1, (corners, 1)) * rng.integers(0, 2, 2) * span
    elif kind == 7:  # corners that follow each other twice, and there and back
        ring = np.repeat(rng.uniform(0, 1, (corners, 2)) * span, rng.integers(1, 4), axis=0)
        ring = np.concatenate([ring, ring[::-1]]) if rng.integers(2) else ring
    else:  # a sliver thinner than a pixel
        ring = rng.uniform(0, 1, 2) * span + np.cumsum(rng.uniform(-0.4, 0.4, (corners, 2)), 0)
    return ring.ravel().tolist()


def test_polygons_are_rasterised_pixel_for_pixel_as_pycocotools_does(ask):
    rng = np.random.default_rng(3)
    cases = []
    for i in range(8000):
        height, width = random_size(rng)
        rings = [random_ring(rng, height, width) for _ in range(1 if i % 2 else rng.integers(1, 5))]
        cases.append({"case": "polygons", "height": height, "width": width, "rings": rings})
    for case, answer in zip(cases, ask(cases)):
        theirs = coco.merge(coco.frPyObjects(case["rings"], case["height"], case["width"]))
        assert answer.get("mask") == text(theirs), case


def test_edges_hundreds_of_thousands_of_pixels_long_cross_where_pycocotools_has_them(ask):
    rng = np.random.default_rng(4)
    cases = []
    for _ in range(60):
        ring = (rng.uniform(-1, 1, (5, 2)) * 10.0 ** rng.uniform(2, 5.7)).ravel().tolist()
        cases.append({"case": "polygons", "height": 100, "width": 130, "rings": [ring]})
    for case, answer in zip(cases, ask(cases)):
        (theirs,) = coco.frPyObjects(case["rings"], case["height"], case["width"])
        assert answer.get("mask") == text(theirs), case


def rasterised(rings, shape):
    return coco.decode([coco.merge(coco.frPyObjects(rings, *shape))])[..., 0]


def test_outlines_rasterised_by_pycocotools_lose_only_the_holes_or_nothing(ask):
    from scipy.ndimage import binary_fill_holes

    rng = np.random.default_rng(5)
    masks = [random_mask(rng, *random_size(rng)) for _ in range(1500)]
    answers = ask(
        [{"case": "outlines", "height": m.shape[0], "width": m.shape[1], "a": digits(m)} for m in masks]
    )
    for mask, answer in zip(masks, answers):
        if not mask.any():
            assert answer == {"outer": [], "with_holes": []}
            continue
        # A hole is what no walk over pixels outside, corners counting as neighbours, leaves.
        assert (rasterised(answer["outer"], mask.shape) == binary_fill_holes(mask, np.ones((3, 3)))).all()
        assert (rasterised(answer["with_holes"], mask.shape) == mask).all()


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def read(file):
    return np.asarray(Image.open(io.BytesIO(file)))


def interlaced(levels):
    """A grey PNG in the seven passes of Adam7, which Pillow reads but does not write."""
    height, width = levels.shape
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [levels[top::down, left::right] for left, top, right, down in passes]
    rows = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_interlaced_png_files_are_read(ask):
    rng = np.random.default_rng(9)
    sizes = [(height, width) for height in range(1, 10) for width in range(1, 10)]
    images = [rng.choice([0, 1, 255], size).astype(np.uint8) for size in sizes + [(70, 65), (33, 129)]]
    answers = ask([{"case": "png", "file": interlaced(image).hex()} for image in images])
    for image, answer in zip(images, answers):
        assert (read(interlaced(image)) == image).all()
        assert answer == {"non_zero": digits(image != 0), "full": digits(image == 255)}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "I;16", "P"])
def test_png_files_of_every_mode_are_read_as_pillow_reads_them(ask, mode):
    rng = np.random.default_rng(7)
    files, expected = [], []
    for _ in range(100):
        height, width = random_size(rng)
        levels = rng.choice([0, 0, 0, 1, 128, 254, 255], (height, width, 4)).astype(np.uint8)
        if mode == "I;16":
            image = Image.fromarray(levels[..., 0].astype(np.uint16) * np.uint16(rng.choice([1, 255, 257])))
        elif mode == "P":
            image = Image.fromarray(levels[..., :3]).quantize(int(rng.choice([2, 4, 16, 200])))
        else:
            image = Image.fromarray(levels).convert(mode, dither=Image.Dither.NONE)
        files.append(saved(image, optimize=bool(rng.integers(2))))
        # A palette stands for its colours; other modes are their own channels, of which 1-bit ones are 0 or full.
        image = Image.open(io.BytesIO(files[-1]))
        channels = np.asarray(image.convert("RGB") if mode == "P" else image)
        channels = channels.reshape(height, width, -1)
        top = 65535 if image.mode == "I;16" else 1 if channels.dtype == bool else 255
        expected.append({"non_zero": digits((channels != 0).any(2)), "full": digits((channels == top).any(2))})
    assert ask([{"case": "png", "file": file.hex()} for file in files]) == expected


def test_png_files_are_written_as_grey_levels_0_and_255(ask):
    rng = np.random.default_rng(8)
    masks = [random_mask(rng, *random_size(rng)) for _ in range(300)]
    answers = ask(
        [{"case": "to-png", "height": m.shape[0], "width": m.shape[1], "a": digits(m)} for m in masks]
    )
    for mask, answer in zip(masks, answers):
        levels = read(bytes.fromhex(answer["file"]))
        assert levels.dtype == np.uint8 and (levels == 255 * mask).all()


def test_masks_are_resized_as_pillow_resizes_to_the_nearest(ask):
    rng = np.random.default_rng(6)
    cases, masks = [], []
    for _ in range(1000):
        (height, width), (to_height, to_width) = random_size(rng), random_size(rng)
        mask = random_mask(rng, height, width)
        masks.append(mask)
        case = {"case": "resized", "height": height, "width": width, "a": digits(mask)}
        cases.append(case | {"to_height": to_height, "to_width": to_width})
    for mask, case, answer in zip(masks, cases, ask(cases)):
        size = case["to_width"], case["to_height"]
        theirs = Image.fromarray(mask.astype(np.uint8)).resize(size, Image.Resampling.NEAREST)
        assert answer["bitmap"] == digits(np.asarray(theirs))
