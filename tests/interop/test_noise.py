"""The noise field against NumPy's Philox, and the analysis of noise sensitivity against NumPy from pictures to report.

Nothing here is compared with numbers of this project's own: words come from numpy.random.Philox, keys from the blake3
package, the distribution from SciPy, and every metric of the report is written out again from its definition.
"""

import json
import pathlib
import subprocess

import blake3
import jsonschema
import numpy as np
import pytest
import scipy.signal
import scipy.special
import scipy.stats
from noise_field import noise_field, philox_key, philox_words
from statsmodels.stats.multitest import multipletests

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Field:
    """What the example `noise_field` writes for one image."""

    def __init__(self, program, folder, seed=2026, trial=2, width=224, height=224, sigma=60 / 255):
        self.width, self.height = width, height
        self.content = blake3.blake3(b"an image").digest()
        rng = np.random.default_rng(5)
        self.picture = rng.integers(0, 256, (3, height, width)).astype(np.float32) / np.float32(255)
        self.weights = (rng.random((height, width)) < 0.4).astype(np.float32)
        self.picture.tofile(folder / "picture.f32")
        self.weights.tofile(folder / "weights.f32")
        arguments = [seed, self.content.hex(), trial, width, height, np.float32(sigma), folder]
        subprocess.run([program, *map(str, arguments)], check=True)
        self.key = np.fromfile(folder / "key.u64", "<u8")
        self.words = np.fromfile(folder / "words.u64", "<u8").reshape(3, -1)
        self.field = np.fromfile(folder / "field.f32", "<f4").reshape(3, height, width)
        self.noised = np.fromfile(folder / "noised.f32", "<f4").reshape(3, height, width)
        self.expected = noise_field(seed, self.content, trial, width, height)


@pytest.fixture(scope="module")
def field(example, tmp_path_factory):
    return Field(example("noise_field"), tmp_path_factory.mktemp("field"))


def test_the_key_is_the_stated_digest(field):
    key = philox_key("noise", 2026, field.content, 2)
    assert [key % 2**64, key >> 64] == field.key.tolist()


def test_raw_words_equal_numpys(field):
    key = philox_key("noise", 2026, field.content, 2)
    for channel in range(3):
        assert np.array_equal(field.words[channel], philox_words(key, channel, field.words.shape[1]))


@pytest.mark.parametrize("width,height", [(1, 1), (3, 5), (17, 13)])
def test_a_field_whose_pixels_are_no_multiple_of_four_equals_numpys(example, tmp_path, width, height):
    small = Field(example("noise_field"), tmp_path, seed=2**64 - 1, trial=0, width=width, height=height)
    np.testing.assert_allclose(small.field, small.expected, rtol=0, atol=1e-6)


def test_normals_equal_those_of_numpys_words(field):
    np.testing.assert_allclose(field.field, field.expected, rtol=0, atol=1e-6)
    assert np.mean(field.field == field.expected) > 0.999


def test_normals_are_standard_normal(field):
    values = field.field.astype(np.float64).ravel()
    n = values.size
    assert abs(values.mean()) < 4 / np.sqrt(n)
    assert abs(values.var() - 1) < 4 * np.sqrt(2 / n)
    assert scipy.stats.kstest(values, "norm").pvalue > 1e-3
    assert scipy.stats.anderson(values, "norm").statistic < 2
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        assert abs(np.corrcoef(field.field[a].ravel(), field.field[b].ravel())[0, 1]) < 4 / np.sqrt(n / 3)
    for lag in range(1, 5):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 4 / np.sqrt(n)


def test_noised_pictures_equal_numpys_to_the_bit(field):
    sigma = np.float32(60 / 255)
    assert field.noised.min() == 0 and field.noised.max() == 1, "noise of this level clips at both ends"
    expected = np.clip(field.picture + sigma * field.field * field.weights, np.float32(0), np.float32(1))
    assert expected.dtype == np.float32
    assert np.array_equal(field.noised, expected)


LEVELS = [25.0, 60.5, 180.0]
TRIALS = 3
FLOOR = 0.05
SEED = 11

# Mode, levels, null masks and profile of each run; the first is the one whose report is computed again in full.
RUNS = {
    "sigma": ("sigma", LEVELS, 0, "translated", "strict"),
    "l2": ("l2", [0.5, 2.0, 8.0], 2, "translated", "strict"),
    "matched": ("matched", LEVELS, 3, "swapped", "strict"),
    "intended": ("sigma", LEVELS, 1, "translated", "rival10-as-intended"),
    "intended-l2": ("l2", [0.5, 2.0, 8.0], 1, "swapped", "rival10-as-intended"),
    "released": ("sigma", [2000.0, 20000.0], 0, "translated", "rival10-as-released"),
    "hard": ("sigma", [90.0], 0, "translated", "hard-imagenet"),
}


@pytest.fixture(scope="module")
def runs(example):
    def run(mode, levels, nulls, null_mask, profile):
        given = [f"profile={profile}"]
        given += [f"mode={mode}", "levels=" + ",".join(map(str, levels[::-1])), f"trials={TRIALS}", f"floor={FLOOR}"]
        given += [f"nulls={nulls}", f"null-mask={null_mask}"]
        out = json.loads(subprocess.run([example("noise_run"), *given], check=True, capture_output=True).stdout)
        return out, [dict(zip(out["columns"], row)) for row in out["rows"]]

    return {name: run(*settings) for name, settings in RUNS.items()}


@pytest.fixture(scope="module")
def run(runs):
    return runs["sigma"][0]


@pytest.fixture(scope="module")
def rows(runs):
    return runs["sigma"][1]


def test_the_report_fits_its_schema_and_the_schema_refuses_what_does_not(run):
    schema = json.loads((ROOT / "schema/report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(run["report"])
    for spoil in [
        lambda report: report.pop("notes"),
        lambda report: report.update(extra=1),
        lambda report: report["headline"][0].update(value="high"),
        lambda report: report["headline"][0].update(interval=[0.0]),
        lambda report: report["headline"][0].update(interval_method=""),
        lambda report: report["tables"][0]["rows"][0].append(True),
        lambda report: report["provenance"].update(seed=-1),
        lambda report: report["provenance"]["models"].append(["only a name"]),
    ]:
        broken = json.loads(json.dumps(run["report"]))
        spoil(broken)
        assert not validator.is_valid(broken)


def toy_logits(model, pictures):
    """The toy networks as their documentation has them: [n, 3, height, width] to [n, outputs], in double precision."""
    n, _, height, width = pictures.shape
    if model["name"] == "swatch":
        logits = np.zeros((n, model["outputs"]))
        seen = pictures[:, :, : height // 2].astype(np.float64) * 255
        for c in range(model["outputs"]):
            digits = np.array([c * 2 % 5, c * 2 // 5 % 5, c * 2 // 25 % 5])
            near = np.abs(seen - (80 + 24 * digits)[None, :, None, None]) < 0.5
            logits[:, c] = 8 * near.all(axis=1).mean(axis=(1, 2)) + (c == 0)
        return logits
    seed = {"means": 3, "small": 4}[model["name"]]
    key = philox_key("toy weights", seed, blake3.blake3(b"").digest(), 0)
    count = model["outputs"] * 48
    first_words = [np.random.Philox(key=key, counter=i - 1 if i else 2**256 - 1).random_raw(1)[0] for i in range(count)]
    weights = 4 * (np.array(first_words, np.uint64) >> np.uint64(11)).astype(np.float64) / 2**53 - 2
    rows, columns = np.arange(height) * 4 // height, np.arange(width) * 4 // width
    cells = np.stack([
        pictures[:, :, rows == y][:, :, :, columns == x].astype(np.float64).mean(axis=(2, 3))
        for y in range(4)
        for x in range(4)
    ], axis=-1)
    return cells.reshape(n, 48) @ weights.reshape(model["outputs"], 48).T


def block(purpose, content, trial, counter):
    """The four words at [counter, 0, 0, 0]; NumPy steps its counter before it draws."""
    return np.random.Philox(key=philox_key(purpose, SEED, content, trial), counter=(counter - 1) % 2**256).random_raw(4)


def below(word, n):
    return int(word) * n >> 64


def own_regions(frame, soft=False):
    """Weights of foreground and background, or the reason why there are none."""
    width, height = frame["size"]
    if frame["object"] is None:
        return "missing"
    m = np.array(frame["soft"], np.float32) if soft else np.array(frame["object"])
    m = m.reshape(height, width)
    ignored = np.zeros(m.shape, int) if frame["ignore"] is None else np.array(frame["ignore"]).reshape(height, width)
    counts = (1 - ignored).astype(m.dtype)
    fg, bg = m * counts, (1 - m) * counts
    return "empty" if not (fg >= 0.5).any() else "full" if not (bg >= 0.5).any() else (fg, bg)


def null_regions(frame, number, null_mask, others, soft):
    """`others`: every frame of the same size, in the order of ids."""
    content = bytes.fromhex(frame["content"])
    fg, bg = own_regions(frame, soft)
    if null_mask == "translated":
        words = block("null mask", content, number, 0)
        offset = [below(words[1], fg.shape[0]), below(words[0], fg.shape[1])]
        return np.roll(fg, offset, (0, 1)), np.roll(bg, offset, (0, 1))
    for attempt in range(64):
        partner = others[below(block("null mask", content, number, attempt)[0], len(others))]
        if partner["image"] != frame["image"] and not isinstance(own_regions(partner, soft), str):
            return own_regions(partner, soft)
    return "missing"


def places(fg, bg):
    """Offsets (rows, columns) that move the foreground onto background pixels alone."""
    height, width = fg.shape
    taken = np.pad(1 - bg, ((height, height), (width, width)), constant_values=1)
    hits = np.round(scipy.signal.correlate(taken.astype(float), fg.astype(float), mode="valid", method="fft"))
    return np.argwhere(hits == 0) - [height, width]


def shift(planes, offset):
    """Moved by (rows, columns), 0 from outside."""
    out = np.zeros_like(planes)
    height, width = planes.shape[-2:]
    (dy, dx) = offset
    to = np.s_[..., max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)]
    of = np.s_[..., max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)]
    out[to] = planes[of]
    return out


def add(x, noise, weights, scale):
    return np.clip(x + np.float32(scale) * noise * weights.astype(np.float32), np.float32(0), np.float32(1))


def change(x, noised):
    return np.linalg.norm((noised - x).astype(np.float64))


def noised_pair(mode, x, n, regions, place, level):
    """The picture with noise on the foreground, and with noise on the background."""
    fg, bg = regions
    if mode == "sigma":
        return [add(x, n, w, level / 255) for w in (fg, bg)]
    if mode == "l2":
        return [add(x, n, w, level / np.linalg.norm((n * w.astype(np.float32)).astype(np.float64))) for w in (fg, bg)]
    noises = [(n, fg), (shift(n, place), shift(fg, place))]
    pair = [add(x, noise, w, level / 255) for noise, w in noises]
    norms = [change(x, noised) for noised in pair]
    more = int(norms[1] > norms[0])
    low, high = 0.0, float(np.float32(level / 255))
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if change(x, add(x, *noises[more], middle)) > norms[1 - more] else (middle, high)
    pair[more] = add(x, *noises[more], low)
    return pair


@pytest.mark.parametrize("name", RUNS)
def test_rows_follow_from_the_pictures(runs, name):
    """Masks, noise, clipping, forwards and scores computed again in NumPy from the pixels, for every row."""
    run, rows = runs[name]
    mode, levels, nulls, null_mask, profile = RUNS[name]
    soft = profile.startswith("rival10")
    unit = 255 if profile == "rival10-as-released" else 1
    found = {(r["image"], r["model"], r["mask"], r["level"], r["trial"]): r for r in rows}
    assert len(found) == len(rows)
    checked = 0
    for model in run["models"]:
        width, height = model["size"]
        frames = [frame for frame in run["shown"] if frame["size"] == model["size"]]
        for frame in frames:
            content = bytes.fromhex(frame["content"])
            x = np.array(frame["pixels"], np.float32).reshape(height, width, 3).transpose(2, 0, 1) / np.float32(255)
            fields = [noise_field(SEED, content, trial, width, height) for trial in range(TRIALS)]
            pictures, keys = [], []
            for mask in range(nulls + 1):
                regions = own_regions(frame, soft) if mask == 0 else null_regions(frame, mask, null_mask, frames, soft)
                pictures += [x, x]
                keys.append((mask, 0.0, 0))
                offsets = None
                if not isinstance(regions, str) and mode == "matched":
                    offsets = places(*regions)
                    regions = regions if len(offsets) else "unmatched"
                clean = found[frame["image"], model["name"], mask, 0.0, 0]
                assert clean["marking"] == (regions if isinstance(regions, str) else "marked")
                if isinstance(regions, str):
                    assert clean["foreground"] is None
                    if mask == 0:
                        break  # an image that can't be noised has no null masks
                    continue
                assert clean["foreground"] == pytest.approx((regions[0] >= 0.5).mean(), abs=1e-12)
                for trial, field in enumerate(fields):
                    place = None
                    if offsets is not None:
                        place = offsets[below(block("place", content, trial, mask)[0], len(offsets))]
                    for level in levels:
                        pictures += noised_pair(mode, x, field, regions, place, level / unit)
                        keys.append((mask, level, trial))
            logits = toy_logits(model, np.stack(pictures))
            scores = np.stack([scipy.special.logsumexp(logits[:, g], axis=1) for g in model["groups"]], axis=1)
            p = scipy.special.softmax(scores, axis=1)
            for i, key in enumerate(keys):
                row = found.pop((frame["image"], model["name"], *key))
                for region, at in [("fg", 2 * i), ("bg", 2 * i + 1)]:
                    true = scores[at, row["class"]]
                    margin = true - np.delete(scores[at], row["class"]).max()
                    assert row[f"{region}_p"] == pytest.approx(p[at, row["class"]], abs=1e-5)
                    assert row[f"{region}_margin"] == pytest.approx(margin, abs=1e-4)
                    assert row[f"{region}_norm"] == pytest.approx(change(x, pictures[at]), rel=1e-5)
                    if np.diff(np.sort(scores[at]))[-1] > 1e-4:
                        assert row[f"{region}_prediction"] == scores[at].argmax()
                        checked += 1
    assert not found, "rows that no picture explains"
    assert checked > 400 * len(levels)


def relative(a, b):
    middle = (a + b) / 2
    return None if middle in (0, 1) else (b - a) / (2 * min(middle, 1 - middle))


def class_means(values, classes):
    """The unweighted mean over classes of the mean over images; values [images, ...]."""
    return np.mean([values[classes == c].mean(axis=0) for c in np.unique(classes)], axis=0)


class Measured:
    """One model's marked images: arrays over [image, level, trial]."""

    def __init__(self, rows, model, keep=lambda row: True, mask=0, levels=LEVELS):
        own = [row for row in rows if row["model"] == model and row["mask"] == mask]
        own = [row for row in own if row["marking"] == "marked" and keep(row)]
        clean = {row["image"]: row for row in own if row["level"] == 0}
        self.images = sorted(clean)
        self.classes = np.array([clean[i]["class"] for i in self.images], int)
        by_key = {(row["image"], row["level"], row["trial"]): row for row in own}

        def cube(value):
            return np.array(
                [[[value(by_key[i, l, t]) for t in range(TRIALS)] for l in levels] for i in self.images], float
            ).mean(axis=2)

        self.clean = np.array([clean[i]["fg_prediction"] == clean[i]["class"] for i in self.images], float)
        self.clean_margin = np.array([clean[i]["fg_margin"] for i in self.images])
        self.correct = [cube(lambda r, k=k: r[f"{k}_prediction"] == r["class"]) for k in ("fg", "bg")]
        self.p = [cube(lambda r, k=k: r[f"{k}_p"]) for k in ("fg", "bg")]
        self.margin = [cube(lambda r, k=k: r[f"{k}_margin"]) for k in ("fg", "bg")]

    def summary(self):
        """n, clean, fg, bg, RFS, iRFS, floored iRFS, share floored."""
        fg, bg = (class_means(correct, self.classes).mean() for correct in self.correct)
        p_fg, p_bg = (p.mean(axis=1) for p in self.p)
        room = np.minimum(p_fg + p_bg, 2 - p_fg - p_bg)
        with np.errstate(invalid="ignore", divide="ignore"):
            irfs = np.where(room == 0, 0, (p_bg - p_fg) / room)
        floored = (p_bg - p_fg) / np.maximum(room, 2 * FLOOR)
        means = [class_means(v, self.classes) for v in (irfs, floored, (room < 2 * FLOOR).astype(float))]
        return [len(self.images), class_means(self.clean, self.classes), fg, bg, relative(fg, bg), *means]


def tables(run):
    return {t["name"]: [dict(zip(t["columns"], row)) for row in t["rows"]] for t in run["report"]["tables"]}


SUMMARY = [
    "n", "clean accuracy", "foreground noise", "background noise", "RFS", "iRFS", "floored iRFS", "share floored",
]


def same(found, expected):
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=1e-9)


def test_every_metric_of_the_report_follows_from_the_rows(run, rows):
    report, table = run["report"], tables(run)
    models = [model["name"] for model in run["models"]]
    headline = {(e["name"], e["model"]): e for e in report["headline"]}
    compared = 0
    for model in models:
        measured = Measured(rows, model)
        expected = dict(zip(SUMMARY, measured.summary()))
        (row,) = [r for r in table["by-model"] if r["model"] == model]
        for name in SUMMARY:
            same(row[name], expected[name])
        for name in ["RFS", "clean accuracy", "iRFS", "floored iRFS"]:
            same(headline[name, model]["value"], expected[name])
            assert headline[name, model]["n"] == len(measured.images)

        levels = [r for r in table["by-level"] if r["model"] == model]
        assert [r["level"] for r in levels] == [0, *LEVELS]
        same(levels[0]["foreground noise"], expected["clean accuracy"])
        curve = [[expected["clean accuracy"]], [expected["clean accuracy"]]]
        for l, row in enumerate(levels[1:]):
            fg, bg = (class_means(correct[:, l], measured.classes) for correct in measured.correct)
            curve[0].append(fg)
            curve[1].append(bg)
            same(row["foreground noise"], fg)
            same(row["background noise"], bg)
            same(row["RFS"], relative(fg, bg))
            for name, margin in zip(["foreground", "background"], measured.margin):
                change = margin[:, l] - measured.clean_margin
                same(row[f"{name} margin change"], class_means(change, measured.classes))

        (row,) = [r for r in table["curves"] if r["model"] == model]
        halves = []
        for name, accuracy in zip(["foreground", "background"], curve):
            same(row[f"{name} area"], np.trapezoid(accuracy, [0, *LEVELS]) / LEVELS[-1])
            fine = np.interp(np.linspace(0, LEVELS[-1], 1_800_001), [0, *LEVELS], accuracy)
            below = np.flatnonzero(fine <= accuracy[0] / 2)
            halves.append(below[0] * 1e-4 if len(below) and accuracy[0] > 0 else None)
            if halves[-1] is None:
                assert row[f"{name} s50"] is None
            else:
                assert row[f"{name} s50"] == pytest.approx(halves[-1], abs=2e-4)
        if None in halves:
            assert row["s50 ratio"] is None
        else:
            assert row["s50 ratio"] == pytest.approx(halves[0] / halves[1], rel=1e-3)

        for name, key, column in [("by-class", "class", "class"), ("by-stratum", "stratum", "stratum")]:
            for row in (r for r in table[name] if r["model"] == model):
                wanted = run["classes"].index(row[column]) if key == "class" else row[column]
                part = Measured(rows, model, lambda r: r[key] == wanted)
                for metric, value in zip(SUMMARY, part.summary()):
                    same(row[metric], value)
                    compared += 1
    assert compared == len(SUMMARY) * (len(table["by-class"]) + len(table["by-stratum"])) > 100
    sensitivities = [r["RFS"] if r["RFS"] is not None else -2 for r in table["by-model"]]
    assert sensitivities == sorted(sensitivities, reverse=True)
    assert len(table["by-class"]) == len(models) * len(run["classes"])


def test_the_distribution_of_irfs_is_numpys_histogram(run, rows):
    edges = (np.arange(11) - 5) / 5
    for model in run["models"]:
        measured = Measured(rows, model["name"])
        p_fg, p_bg = (p.mean(axis=1) for p in measured.p)
        room = np.minimum(p_fg + p_bg, 2 - p_fg - p_bg)
        with np.errstate(invalid="ignore", divide="ignore"):
            irfs = np.where(room == 0, 0, (p_bg - p_fg) / room)
        floored = (p_bg - p_fg) / np.maximum(room, 2 * FLOOR)
        own = [r for r in tables(run)["irfs-distribution"] if r["model"] == model["name"]]
        assert [r["from"] for r in own] + [own[-1]["to"]] == edges.tolist()
        for name, values in [("iRFS", irfs), ("floored iRFS", floored)]:
            counts = np.array([r[f"images by {name}"] for r in own])
            # A value within rounding of an edge may stand on either side of it.
            near = np.abs(values[:, None] - edges[None]).min(axis=1) < 1e-12
            assert np.abs(counts - np.histogram(values, edges)[0]).sum() <= 2 * near.sum()
            assert counts.sum() == len(values)


def test_intervals_are_percentiles_of_resampled_images(run, rows):
    """The bootstrap drawn again from NumPy's Philox: the interval of RFS of every model."""
    key = philox_key("bootstrap", SEED, bytes(32), 0)
    resamples = 10_000
    for model in run["models"]:
        measured = Measured(rows, model["name"])
        sums = np.zeros((resamples, 2))
        classes = np.unique(measured.classes)
        for c in classes:
            own = np.stack([correct[measured.classes == c].mean(axis=1) for correct in measured.correct], axis=1)
            sums += own[draws(key, c, resamples, len(own))].mean(axis=1)
        fg, bg = (sums / len(classes)).T
        middle = (fg + bg) / 2
        defined = (middle > 0) & (middle < 1)
        rfs = ((bg - fg) / (2 * np.minimum(middle, 1 - middle)))[defined]
        (estimate,) = [
            e for e in run["report"]["headline"] if e["name"] == "RFS" and e["model"] == model["name"]
        ]
        assert defined.mean() >= 0.99
        assert estimate["interval"][0] <= estimate["value"] <= estimate["interval"][1]
        np.testing.assert_allclose(estimate["interval"], np.quantile(rfs, [0.025, 0.975]), rtol=0, atol=1e-9)
        assert estimate["interval_method"].startswith("95% percentile bootstrap")


@pytest.mark.parametrize("name", ["l2", "matched"])
def test_z_is_rfs_against_that_of_null_masks(runs, name):
    run, rows = runs[name]
    _, levels, nulls, _, _ = RUNS[name]
    assert len(tables(run)["null"]) == len(run["models"])
    for row in tables(run)["null"]:
        rfs = [Measured(rows, row["model"], mask=k, levels=levels).summary()[4] for k in range(nulls + 1)]
        assert row["null masks"] == sum(value is not None for value in rfs[1:]) == nulls
        same(row["RFS"], rfs[0])
        same(row["null mean"], np.mean(rfs[1:]))
        same(row["null deviation"], np.std(rfs[1:], ddof=1))
        spread = np.std(rfs[1:], ddof=1)
        same(row["z"], (rfs[0] - np.mean(rfs[1:])) / spread if spread > 0 else None)


def test_the_profile_of_hard_imagenet_says_0_where_rfs_is_undefined(runs):
    run, rows = runs["hard"]
    undefined = 0
    for row in tables(run)["by-class"]:
        part = Measured(rows, row["model"], lambda r: r["class"] == run["classes"].index(row["class"]), levels=[90.0])
        expected = part.summary()[4]
        undefined += expected is None
        same(row["RFS"], 0.0 if expected is None else expected)
    assert undefined > 0, "no class that shows the rule"


def test_comparisons_of_models_follow_from_the_rows(run, rows):
    table = tables(run)
    names = [model["name"] for model in run["models"]]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    assert [(r["model A"], r["model B"]) for r in table["comparisons"]] == pairs
    key = philox_key("bootstrap", SEED, bytes(32), 0)
    for (a, b), row in zip(pairs, table["comparisons"]):
        common = set(Measured(rows, a).images) & set(Measured(rows, b).images)
        both = [Measured(rows, name, lambda r: r["image"] in common) for name in (a, b)]
        assert row["n"] == len(common)
        a_, b_ = (dict(zip(SUMMARY, measured.summary())) for measured in both)
        same(row["floored iRFS difference"], a_["floored iRFS"] - b_["floored iRFS"])
        same(row["RFS difference"], a_["RFS"] - b_["RFS"])
        classes, sums = both[0].classes, np.zeros((10_000, 4))
        for c in np.unique(classes):
            own = np.stack([x[classes == c].mean(axis=1) for m in both for x in m.correct], axis=1)
            sums += own[draws(key, c, 10_000, len(own))].mean(axis=1)
        means = sums / len(np.unique(classes))
        room = [np.minimum(means[:, i] + means[:, i + 1], 2 - means[:, i] - means[:, i + 1]) for i in (0, 2)]
        difference = (means[:, 1] - means[:, 0]) / room[0] - (means[:, 3] - means[:, 2]) / room[1]
        same(row["low"], np.quantile(difference, 0.025))
        same(row["high"], np.quantile(difference, 0.975))
        smaller = min((difference <= 0).sum(), (difference >= 0).sum())
        assert row["p"] == pytest.approx(min(1, 2 * (1 + smaller) / 10_001), abs=2e-3)
    for name, adjusted in [("p", "p (Holm)"), ("sign-flip p", "sign-flip p (Holm)")]:
        p = [r[name] for r in table["comparisons"]]
        np.testing.assert_allclose([r[adjusted] for r in table["comparisons"]], multipletests(p, method="holm")[1])

    tests = table["mcnemar"]
    assert len(tests) == len(pairs) * (1 + 2 * len(LEVELS))
    for row in tests:
        a, b = row["model A"], row["model B"]
        common = set(Measured(rows, a).images) & set(Measured(rows, b).images)
        right = []
        for name in (a, b):
            measured = Measured(rows, name, lambda r: r["image"] in common)
            if row["region"] == "clean":
                right.append(measured.clean > 0.5)
            else:
                region = ["foreground", "background"].index(row["region"])
                right.append(measured.correct[region][:, LEVELS.index(row["level"])] > 0.5)
        only_a, only_b = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
        assert [row["only A right"], row["only B right"]] == [only_a, only_b]
        n = int(only_a + only_b)
        assert row["p"] == pytest.approx(scipy.stats.binomtest(int(only_a), n).pvalue if n else 1.0, rel=1e-9)
    adjusted = multipletests([r["p"] for r in tests], method="holm")[1]
    np.testing.assert_allclose([r["p (Holm)"] for r in tests], adjusted, rtol=1e-9)


def draws(key, c, resamples, n):
    """[resamples, n] places in a class of n images: the high half of word * n."""
    blocks = -(-n // 4)
    places = np.empty((resamples, n), int)
    for b in range(resamples):
        counter = ((b << 128) + (int(c) << 64) - 1) % 2**256
        words = np.random.Philox(key=key, counter=counter).random_raw(4 * blocks)[:n]
        places[b] = [int(word) * n >> 64 for word in words]
    return places
