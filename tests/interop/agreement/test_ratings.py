"""Coefficients of agreement against statsmodels, krippendorff and irrCAC; Dawid and Skene's model against crowd-kit; STAPLE
against SimpleITK; the bound of a share against SciPy.

Where conventions differ, the test says so: statsmodels' kappas want every rater to judge every unit, irrCAC counts as
categories only those that somebody chose unless it is told them, crowd-kit stops when its bound hardly moves, and SimpleITK
looks at the whole picture it is given.
"""

import json
import subprocess

import krippendorff
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import SimpleITK as sitk
from crowdkit.aggregation import DawidSkene
from irrCAC.raw import CAC
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

RAW, COHEN, FLEISS, ALPHA, AC1 = (
    "raw agreement",
    "Cohen's kappa",
    "Fleiss' kappa",
    "Krippendorff's alpha",
    "Gwet's AC1",
)


@pytest.fixture(scope="module")
def ask(example):
    def ask(*arguments, case=None):
        program = [example("agreement"), *map(str, arguments)]
        done = subprocess.run(program, input=json.dumps(case), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return ask


def judgements(rng, units, raters, categories=2, missing=0.0, prevalence=0.3, care=0.6):
    """People of different care, of whom each misses a share of the units; -1 stands for nothing said."""
    p = [1 - prevalence] + [prevalence / (categories - 1)] * (categories - 1)
    truth = rng.choice(categories, units, p=p)
    said = np.where(
        rng.random((units, raters)) < rng.uniform(care, 0.98, raters),
        truth[:, None],
        rng.integers(0, categories, (units, raters)),
    )
    said[rng.random(said.shape) < missing] = -1
    return said


def as_case(said):
    return [[None if value < 0 else int(value) for value in row] for row in said]


CASES = [
    # units, raters, categories, missing, prevalence
    (200, 2, 2, 0.0, 0.5),
    (200, 2, 2, 0.0, 0.03),
    (60, 2, 4, 0.0, 0.6),
    (150, 3, 2, 0.2, 0.3),
    (80, 5, 3, 0.4, 0.5),
    (300, 6, 2, 0.5, 0.1),
    (40, 4, 2, 0.0, 0.4),
]


@pytest.fixture(scope="module", params=range(len(CASES)))
def case(request, ask):
    units, raters, categories, missing, prevalence = CASES[request.param]
    said = judgements(np.random.default_rng(request.param), units, raters, categories, missing, prevalence)
    return said, categories, ask("ratings", categories, case=as_case(said))


def test_alpha_is_krippendorffs(case):
    said, categories, found = case
    data = np.where(said < 0, np.nan, said).T
    expected = krippendorff.alpha(data, value_domain=list(range(categories)), level_of_measurement="nominal")
    assert found["coefficients"][ALPHA] == pytest.approx(expected, abs=1e-6)


def test_raw_agreement_fleiss_kappa_and_ac1_are_irrcacs(case):
    said, categories, found = case
    table = pd.DataFrame(np.where(said < 0, np.nan, said))
    cac = CAC(table, categories=[float(c) for c in range(categories)], digits=12)
    fleiss, gwet = cac.fleiss()["est"], cac.gwet()["est"]
    assert found["coefficients"][RAW] == pytest.approx(gwet["pa"], abs=1e-6)
    assert found["coefficients"][FLEISS] == pytest.approx(fleiss["coefficient_value"], abs=1e-6)
    assert found["coefficients"][AC1] == pytest.approx(gwet["coefficient_value"], abs=1e-6)
    assert found["units"] == ((said >= 0).sum(axis=1) > 1).sum()


def test_kappas_of_complete_tables_are_those_of_statsmodels(case):
    said, categories, found = case
    if (said < 0).any():
        pytest.skip("statsmodels has no kappa for missing raters: irrCAC's is compared above")
    table, _ = aggregate_raters(said, n_cat=categories)
    assert found["coefficients"][FLEISS] == pytest.approx(fleiss_kappa(table, method="fleiss"), abs=1e-6)
    if said.shape[1] == 2:
        table = np.zeros((categories, categories))
        np.add.at(table, (said[:, 0], said[:, 1]), 1)
        assert found["coefficients"][COHEN] == pytest.approx(cohens_kappa(table).kappa, abs=1e-6)
    else:
        assert found["coefficients"][COHEN] is None


def test_rare_attributes_part_kappa_from_ac1(ask):
    said = [[0, 0]] * 94 + [[1, 1]] + [[1, 0]] * 3 + [[0, 1]] * 2
    found = ask("ratings", 2, case=said)["coefficients"]
    assert found[RAW] == 0.95 and found[COHEN] < 0.3 and found[ALPHA] < 0.3 and found[AC1] > 0.9


def test_an_attribute_that_nobody_chose_has_the_categories_it_could_have(ask):
    """irrCAC drops what nobody chose and then has nothing to compare; told both categories it agrees with us."""
    found = ask("ratings", 2, case=[[0, 0]] * 20)["coefficients"]
    told = CAC(pd.DataFrame(np.zeros((20, 2))), categories=[0.0, 1.0], digits=12).gwet()["est"]
    assert found[AC1] == told["coefficient_value"] == 1.0
    assert found[COHEN] is None and found[FLEISS] is None and found[ALPHA] is None


@pytest.mark.parametrize(
    "units,raters,categories,missing,prevalence", [(300, 3, 2, 0.0, 0.4), (400, 5, 2, 0.3, 0.2), (300, 6, 3, 0.2, 0.6)]
)
def test_dawid_and_skenes_model_is_that_of_crowd_kit(ask, units, raters, categories, missing, prevalence):
    said = judgements(np.random.default_rng(5), units, raters, categories, missing, prevalence, care=0.85)
    found = ask("ratings", categories, case=as_case(said))
    unit, rater = np.nonzero(said >= 0)
    data = pd.DataFrame({"task": unit, "worker": rater, "label": said[unit, rater]})
    # A bound that never counts as small: it runs until nothing moves any more.
    model = DawidSkene(n_iter=150, tol=-1.0).fit(data)
    assert found["converged"]
    np.testing.assert_allclose(found["prior"], model.priors_.sort_index(), atol=1e-6)
    for worker, confusion in enumerate(found["confusion"]):
        errors = model.errors_.loc[worker].reindex(range(categories)).fillna(0)[list(range(categories))]
        np.testing.assert_allclose(np.array(confusion).T, errors, atol=1e-6)
    judged = np.unique(unit)
    expected = model.probas_.loc[judged][list(range(categories))]
    np.testing.assert_allclose(np.array(found["posteriors"])[judged], expected, atol=1e-6)


def disc(rng, height, width):
    y, x = np.mgrid[:height, :width]
    cy, cx, radius = height * rng.uniform(0.4, 0.6), width * rng.uniform(0.4, 0.6), min(height, width) * 0.25
    return (y - cy) ** 2 + (x - cx) ** 2 < radius**2


def box(masks):
    """The box around everybody's pixels, grown by a quarter of its sides: what SimpleITK is shown of the picture."""
    ys, xs = np.nonzero(np.any(masks, axis=0))
    slices = []
    for low, high, end in [(ys.min(), ys.max() + 1, masks[0].shape[0]), (xs.min(), xs.max() + 1, masks[0].shape[1])]:
        by = -(-(high - low) // 4)
        slices.append(slice(max(0, low - by), min(end, high + by)))
    return tuple(slices)


@pytest.mark.parametrize("seed,raters", [(0, 3), (1, 3), (2, 4), (3, 5), (4, 7)])
def test_staple_is_simpleitks(ask, seed, raters):
    rng = np.random.default_rng(seed)
    height, width = 60, 90
    masks = []
    truth = disc(rng, height, width)
    for _ in range(raters):
        moved = np.roll(truth, rng.integers(-3, 4, 2), (0, 1))
        flips = (rng.random(truth.shape) < rng.uniform(0.01, 0.15)) & (np.roll(truth, 5, 1) | np.roll(truth, -5, 0))
        masks.append(moved ^ flips)
    texts = ["".join("01"[int(value)] for value in mask.ravel()) for mask in masks]
    found = ask("masks", case={"width": width, "height": height, "masks": texts})
    window = box(masks)
    filter = sitk.STAPLEImageFilter()
    filter.SetForegroundValue(1)
    filter.SetMaximumIterations(100_000)
    posterior = sitk.GetArrayFromImage(
        filter.Execute([sitk.GetImageFromArray(mask[window].astype(np.uint8)) for mask in masks])
    )
    assert found["converged"]
    np.testing.assert_allclose(found["sensitivity"], filter.GetSensitivity(), atol=1e-6)
    np.testing.assert_allclose(found["specificity"], filter.GetSpecificity(), atol=1e-6)
    vote = sum(mask[window].astype(int) << i for i, mask in enumerate(masks))
    ours = np.vectorize(lambda v: found["posterior"][str(v)])(vote)
    # SimpleITK stops when no rate moves more than 1e-7, and a posterior is a product of rates over each other.
    np.testing.assert_allclose(ours, posterior, rtol=1e-4)
    assert found["areas"] == {str(v): int(n) for v, n in zip(*np.unique(vote, return_counts=True))}
    expected = np.zeros(truth.shape, bool)
    expected[window] = posterior > 0.5
    assert found["mask"] == "".join("01"[int(value)] for value in expected.ravel())
    votes = sum(mask.astype(int) for mask in masks)
    assert found["majority"] == "".join("01"[int(2 * value > raters)] for value in votes.ravel())
    assert found["tied"] == (2 * votes == raters).sum()


@pytest.mark.parametrize("hits,trials", [(1, 1), (1, 20), (19, 20), (20, 20), (170, 200), (23_000, 26_000), (26_000, 26_000)])
def test_the_lower_bound_of_a_share_is_clopper_and_pearsons(ask, hits, trials):
    for confidence in (0.9, 0.95, 0.999):
        expected = scipy.stats.beta.ppf(1 - confidence, hits, trials - hits + 1)
        assert ask("lower-bound", hits, trials, confidence) == pytest.approx(expected, rel=1e-9)
