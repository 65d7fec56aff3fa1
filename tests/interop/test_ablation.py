"""The ablation analysis computed again in NumPy: every row from the pictures, every number of the report from the rows.

The toy networks, the generator and the bootstrap's draws are those that test_noise.py writes out.
"""

import functools
import itertools
import json
import math
import pathlib
import subprocess

import jsonschema
import numpy as np
import pytest
import scipy.special
import scipy.stats
from statsmodels.stats.multitest import multipletests

from noise_field import philox_key
from test_noise import SEED, below, block, class_means, draws, own_regions, toy_logits

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILLS = ["gray", "mean"]
TRIALS = 2
SHAPLEY = 4


@pytest.fixture(scope="module")
def run(example):
    given = [f"fills={','.join(FILLS)}", f"trials={TRIALS}", f"shapley={SHAPLEY}"]
    return json.loads(subprocess.run([example("ablation_run"), *given], check=True, capture_output=True).stdout)


def planes(frame):
    width, height = frame["size"]
    return np.array(frame["pixels"], np.float32).reshape(height, width, 3).transpose(2, 0, 1) / np.float32(255)


def filled(fill, x, hole):
    left = hole == 0
    colour = np.full(3, 0.5) if fill == "gray" or not left.any() else x[:, left].astype(float).mean(axis=1)
    return x * (1 - hole) + colour[:, None, None].astype(np.float32) * hole


def holes(run, frame):
    """Attribute number -> its hole, for the localised ones that the image has and has a mask of."""
    width, height = frame["size"]
    kept = np.ones((height, width)) if frame["ignore"] is None else 1 - np.array(frame["ignore"]).reshape(height, width)
    found = {}
    for index, (_, localised) in enumerate(run["attributes"]):
        if localised and frame["attributes"][index] is not None:
            found[index] = np.array(frame["attributes"][index], float).reshape(height, width) * kept
    return found


def control(frame, attribute, hole, fg, trial):
    """As many object pixels outside of the hole, nearest to one that is drawn; none where there are too few."""
    rest = np.flatnonzero((fg > 0) & (hole == 0))
    area = int(hole.sum())
    if len(rest) < area:
        return None
    word = block("control", bytes.fromhex(frame["content"]), trial, attribute)[0]
    y, x = np.divmod(rest, fg.shape[1])
    centre = below(word, len(rest))
    distance = (x - x[centre]) ** 2 + (y - y[centre]) ** 2
    chosen = rest[np.lexsort([rest, distance])[:area]]
    out = np.zeros(fg.size)
    out[chosen] = 1
    return out.reshape(fg.shape)


def tile(x, hole):
    """The picture made of its largest rectangle without a hole pixel."""
    height, width = hole.shape
    best = (0,)
    for bottom, right in itertools.product(range(1, height + 1), range(1, width + 1)):
        for top, left in itertools.product(range(bottom), range(right)):
            area = (bottom - top) * (right - left)
            if area > best[0] and not hole[top:bottom, left:right].any():
                best = (area, top, left, bottom, right)
    _, top, left, bottom, right = best
    rows = top + (np.arange(height) - top) % (bottom - top)
    columns = left + (np.arange(width) - left) % (right - left)
    return x[:, rows][:, :, columns]


class Mixer:
    def __init__(self, frames):
        self.frames, self.tiled = frames, {}

    def partner(self, frame, purpose, trial):
        classes = sorted({f["class"] for f in self.frames})
        for attempt in range(64):
            words = block(purpose, bytes.fromhex(frame["content"]), trial, attempt)
            own = purpose == "mixed-same"
            wanted = frame["class"] if own else classes[below(words[0], len(classes))]
            others = [f for f in self.frames if f["class"] == wanted and f["image"] != frame["image"]]
            if others:
                partner = others[below(words[1], len(others))]
                if not isinstance(own_regions(partner), str):
                    return partner
        return None

    def mixed(self, frame, bg, purpose, trial):
        partner = self.partner(frame, purpose, trial)
        if partner is None:
            return None
        if partner["image"] not in self.tiled:
            self.tiled[partner["image"]] = tile(planes(partner), 1 - own_regions(partner)[1])
        return np.where(bg == 1, self.tiled[partner["image"]], planes(frame))


def answers(model, pictures, true):
    logits = toy_logits(model, np.stack(pictures).astype(np.float32))
    scores = np.stack([scipy.special.logsumexp(logits[:, g], axis=1) for g in model["groups"]], axis=1)
    margin = scores[:, true] - np.delete(scores, true, axis=1).max(axis=1)
    close = np.diff(np.sort(scores, axis=1))[:, -1] < 1e-4
    return scipy.special.softmax(scores, axis=1)[:, true], scores.argmax(axis=1), margin, close


def test_rows_follow_from_the_pictures(run):
    """Holes, fills, controls, swapped backgrounds and forwards again, for every row."""
    key = lambda r: (r["image"], r["model"], r["kind"], r["region"], r["fill"], r["trial"])
    found = {key(r): r for r in run["rows"][0]}
    assert len(found) == len(run["rows"][0])
    answered = dict.fromkeys(["clean", "background", "object", "attribute", "control", "swap"], 0)
    mixers = {}
    for model in run["models"]:
        frames = [frame for frame in run["shown"] if frame["size"] == model["size"]]
        mixer = mixers.setdefault(tuple(model["size"]), Mixer(frames))
        for frame in frames:
            x, true = planes(frame), frame["class"]
            regions = own_regions(frame)
            wanted = [("clean", "", "", 0, x, None)]
            if not isinstance(regions, str):
                fg, bg = regions
                for fill in FILLS:
                    wanted.append(("background", "", fill, 0, filled(fill, x, bg), bg))
                    wanted.append(("object", "", fill, 0, filled(fill, x, fg), fg))
                for index, hole in holes(run, frame).items():
                    name = run["attributes"][index][0]
                    if not hole.any():
                        wanted.append(("attribute", name, "", 0, "empty", None))
                        continue
                    wanted += [("attribute", name, fill, 0, filled(fill, x, hole), hole) for fill in FILLS]
                    for trial in range(TRIALS):
                        there = control(frame, index, hole, fg, trial)
                        if there is None:
                            wanted.append(("control", name, "", 0, "no-room", None))
                            break
                        wanted += [("control", name, fill, trial, filled(fill, x, there), there) for fill in FILLS]
                for purpose in ["mixed-same", "mixed-rand"]:
                    for trial in range(TRIALS):
                        mixed = mixer.mixed(frame, bg, purpose, trial)
                        if mixed is None:
                            wanted.append(("swap", purpose, "", trial, "no-partner", None))
                            break
                        wanted.append(("swap", purpose, "", trial, mixed, bg))
            pictures = [w for w in wanted if not isinstance(w[4], str)]
            p, prediction, margin, close = answers(model, [w[4] for w in pictures], true)
            for i, (kind, region, fill, trial, _, hole) in enumerate(pictures):
                row = found.pop((frame["image"], model["name"], kind, region, fill, trial))
                assert row["marking"] == (regions if isinstance(regions, str) else "marked")
                assert row["p"] == pytest.approx(p[i], abs=1e-5)
                assert row["margin"] == pytest.approx(margin[i], abs=1e-4)
                assert close[i] or row["prediction"] == prediction[i]
                if hole is None:
                    assert row["share"] is None
                else:
                    assert row["share"] == pytest.approx(hole.mean(), abs=1e-12)
                answered[kind] += 1
            for kind, region, fill, trial, why, _ in (w for w in wanted if isinstance(w[4], str)):
                row = found.pop((frame["image"], model["name"], kind, region, fill, trial))
                assert row["marking"] == why and row["prediction"] is None and row["p"] is None
    assert not found, "rows that no picture explains"
    assert min(answered.values()) > 100, answered


def test_shapley_values_follow_from_the_pictures(run):
    found = {(r["image"], r["model"], r["region"]): r for r in run["rows"][1]}
    checked = 0
    for model in run["models"]:
        for frame in (f for f in run["shown"] if f["size"] == model["size"]):
            regions = own_regions(frame)
            if isinstance(regions, str):
                continue
            fg, bg = regions
            players = {"background": bg}
            rest = fg.astype(float)
            for index, hole in holes(run, frame).items():
                if hole.any():
                    players[run["attributes"][index][0]] = hole
                    rest = rest * (1 - hole)
            if rest.any():
                players["rest of the object"] = rest
            names = list(players)
            if len(names) > SHAPLEY:
                row = found.pop((frame["image"], model["name"], ""))
                assert (row["marking"], row["regions"], row["phi"]) == ("too-many", len(names), None)
                continue
            x = planes(frame)
            coalitions = list(itertools.product([False, True], repeat=len(names)))
            hole = lambda shown: np.clip(sum((players[n] for n, s in zip(names, shown) if not s), np.zeros_like(rest)), 0, 1)
            p, *_ = answers(model, [filled("gray", x, hole(shown)) for shown in coalitions], frame["class"])
            value = dict(zip(coalitions, p))
            phi = dict.fromkeys(names, 0.0)
            for order in itertools.permutations(range(len(names))):
                shown = [False] * len(names)
                for i in order:
                    before = value[tuple(shown)]
                    shown[i] = True
                    phi[names[i]] += (value[tuple(shown)] - before) / math.factorial(len(names))
            for name in names:
                row = found.pop((frame["image"], model["name"], name))
                assert row["phi"] == pytest.approx(phi[name], abs=1e-5)
                assert row["nothing"] == pytest.approx(p[0], abs=1e-5)
                assert row["everything"] == pytest.approx(p[-1], abs=1e-5)
                checked += 1
    assert not found
    assert checked > 300


class Measured:
    """One model's marked images: what each came to, by (kind, region, fill), averaged over trials."""

    def __init__(self, rows, model):
        own = [r for r in rows if r["model"] == model and r["prediction"] is not None]
        clean = {r["image"]: r for r in own if r["kind"] == "clean"}
        self.images = [i for i in sorted(clean) if clean[i]["marking"] == "marked"]
        self.classes = {i: clean[i]["class"] for i in self.images}
        self.stratum = {i: clean[i]["stratum"] for i in self.images}
        sums = {}
        for r in own:
            values = [r["prediction"] == r["class"], r["p"], r["margin"]]
            sums.setdefault((r["image"], r["kind"], r["region"], r["fill"]), []).append(values)
        self.values = {key: np.mean(np.array(values, float), axis=0) for key, values in sums.items()}

    def table(self, keys, keep=lambda image: True):
        """Images that have every key, their classes and values [images, keys, (right, p, margin)]."""
        images = [i for i in self.images if keep(i) and all((i, *key) in self.values for key in keys)]
        values = np.array([[self.values[i, *key] for key in keys] for i in images]).reshape(len(images), len(keys), 3)
        return np.array([self.classes[i] for i in images], int), values


CLEAN = ("clean", "", "")


def tables(run):
    return {t["name"]: [dict(zip(t["columns"], row)) for row in t["rows"]] for t in run["report"]["tables"]}


def same(found, expected):
    if expected is None or np.isnan(expected):
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=1e-9)


@functools.cache
def places(c, n):
    """What every bootstrap draws from a class of n images: the same for every effect, and slow to draw."""
    return draws(philox_key("bootstrap", SEED, bytes(32), 0), c, 10_000, n)


def resampled(classes, values):
    """The bootstrap of class-balanced means, drawn again from NumPy's Philox: [resamples, columns]."""
    sums = 0
    for c in np.unique(classes):
        own = values[classes == c]
        sums = sums + own[places(int(c), len(own))].mean(axis=1)
    return sums / len(np.unique(classes))


def bounds(classes, values):
    """The interval; none where no class has two images, because every resample would be the same."""
    if np.unique(classes, return_counts=True)[1].max() < 2:
        return None, None
    return np.quantile(resampled(classes, values), [0.025, 0.975])


def check_effect(row, classes, values):
    """A row of an effect: `values` are clean and after, [images, 2, 3]."""
    means = class_means(values, classes)
    assert row["n"] == len(classes)
    same(row["clean accuracy"], means[0, 0])
    same(row["accuracy"], means[1, 0])
    for name, at in [("accuracy drop", 0), ("probability drop", 1), ("margin drop", 2)]:
        same(row[name], means[0, at] - means[1, at])
    for name, at in [("accuracy drop", 0), ("probability drop", 1)]:
        low, high = bounds(classes, values[:, 0, at] - values[:, 1, at])
        same(row[f"{name} low"], low)
        same(row[f"{name} high"], high)


def test_every_drop_and_its_interval_follows_from_the_rows(run):
    table = tables(run)
    compared = 0
    for model in run["models"]:
        measured = Measured(run["rows"][0], model["name"])
        own = lambda name: [r for r in table[name] if r["model"] == model["name"]]
        for row in own("by-fill"):
            check_effect(row, *measured.table([CLEAN, (row["without"], "", row["fill"])]))
            compared += 1
        for row in own("by-class"):
            wanted = run["classes"].index(row["class"])
            keep = lambda image: measured.classes[image] == wanted
            check_effect(row, *measured.table([CLEAN, (row["without"], "", "gray")], keep))
            compared += 1
        for row in own("by-stratum"):
            keep = lambda image: measured.stratum[image] == row["stratum"]
            check_effect(row, *measured.table([CLEAN, (row["without"], "", "gray")], keep))
            compared += 1
        (row,) = own("by-model")
        classes, swaps = measured.table([("swap", "mixed-same", ""), ("swap", "mixed-rand", "")])
        means = class_means(swaps, classes)
        same(row["mixed-same"], means[0, 0])
        same(row["mixed-rand"], means[1, 0])
        same(row["background gap"], means[0, 0] - means[1, 0])
        low, high = bounds(classes, swaps[:, 0, 0] - swaps[:, 1, 0])
        same(row["background gap low"], low)
        same(row["background gap high"], high)
        headline = {e["name"]: e for e in run["report"]["headline"] if e["model"] == model["name"]}
        same(headline["background gap"]["value"], row["background gap"])
        for what in ["background", "object"]:
            classes, values = measured.table([CLEAN, (what, "", "gray")])
            drop = values[:, 0, 0] - values[:, 1, 0]
            estimate = headline[f"accuracy drop without the {what} (gray)"]
            same(estimate["value"], class_means(drop, classes))
            np.testing.assert_allclose(estimate["interval"], bounds(classes, drop), atol=1e-9)
            same(row[f"accuracy drop without {what}"], estimate["value"])
    assert compared > 50
    order = [r["accuracy drop without background"] for r in table["by-model"]]
    assert order == sorted(order, reverse=True)


def test_drops_of_attributes_stand_beside_their_controls(run):
    table = tables(run)
    for name, more in [("by-attribute", []), ("by-attribute-and-class", ["class"])]:
        assert len(table[name]) > 10
        for row in table[name]:
            measured = Measured(run["rows"][0], row["model"])
            keep = lambda image: not more or measured.classes[image] == run["classes"].index(row["class"])
            own = ("attribute", row["attribute"], row["fill"])
            classes, values = measured.table([CLEAN, own], keep)
            assert row["n"] == len(classes) > 0
            for drop, at in [("accuracy drop", 0), ("probability drop", 1)]:
                difference = values[:, 0, at] - values[:, 1, at]
                same(row[drop], class_means(difference, classes))
                same(row[f"{drop} low"], bounds(classes, difference)[0])
            classes, values = measured.table([own, ("control", row["attribute"], row["fill"])], keep)
            assert row["n with control"] == len(classes)
            for drop, at in [("accuracy drop beyond control", 0), ("probability drop beyond control", 1)]:
                if len(classes) == 0:
                    assert row[drop] is None
                    continue
                difference = values[:, 1, at] - values[:, 0, at]
                same(row[drop], class_means(difference, classes))
                same(row[f"{drop} high"], bounds(classes, difference)[1])
    for model in run["models"]:
        own = [r for r in table["by-attribute"] if r["model"] == model["name"] and r["p"] is not None]
        adjusted = multipletests([r["p"] for r in own], method="holm")[1]
        np.testing.assert_allclose([r["p (Holm)"] for r in own], adjusted, rtol=1e-9)


def test_shapley_tables_are_means_of_the_rows(run):
    table = tables(run)
    assert len(table["shapley"]) > 10
    for row in table["shapley"] + table["shapley-by-class"]:
        own = [r for r in run["rows"][1] if r["model"] == row["model"] and r["region"] == row["region"]]
        own = [r for r in own if r["phi"] is not None]
        if "class" in row:
            own = [r for r in own if r["class"] == run["classes"].index(row["class"])]
        classes, phi = np.array([r["class"] for r in own]), np.array([r["phi"] for r in own])
        assert row["n"] == len(own)
        same(row["Shapley value"], class_means(phi, classes))
        low, high = bounds(classes, phi)
        same(row["Shapley value low"], low)
        same(row["Shapley value high"], high)


def test_comparisons_of_models_follow_from_the_rows(run):
    table = tables(run)["comparisons"]
    names = [model["name"] for model in run["models"]]
    assert len(table) == 3 * 3
    parts = {
        "accuracy drop without background": [CLEAN, ("background", "", "gray")],
        "accuracy drop without object": [CLEAN, ("object", "", "gray")],
        "background gap": [("swap", "mixed-same", ""), ("swap", "mixed-rand", "")],
    }
    for of, keys in parts.items():
        rows = [r for r in table if r["of"] == of]
        assert [(r["model A"], r["model B"]) for r in rows] == list(itertools.combinations(names, 2))
        for row in rows:
            a, b = (Measured(run["rows"][0], row[f"model {m}"]) for m in "AB")
            has = lambda m, i: i in m.classes and all((i, *key) in m.values for key in keys)
            both = lambda image: has(a, image) and has(b, image)
            (classes, of_a), (_, of_b) = a.table(keys, both), b.table(keys, both)
            difference = (of_a[:, 0, 0] - of_a[:, 1, 0]) - (of_b[:, 0, 0] - of_b[:, 1, 0])
            assert row["n"] == len(classes)
            same(row["difference"], class_means(difference, classes))
            means = resampled(classes, difference)
            same(row["low"], np.quantile(means, 0.025))
            same(row["high"], np.quantile(means, 0.975))
        adjusted = multipletests([r["p"] for r in rows], method="holm")[1]
        np.testing.assert_allclose([r["p (Holm)"] for r in rows], adjusted, rtol=1e-9)


def test_the_report_fits_its_schema(run):
    schema = json.loads((ROOT / "schema/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(run["report"])
