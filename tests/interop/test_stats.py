"""Resamples against NumPy's Philox; intervals and tests against SciPy and statsmodels."""

import subprocess
import types

import blake3
import numpy as np
import pytest
import scipy.special
import scipy.stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

SEED, RESAMPLES = 7, 2000


@pytest.fixture(scope="session")
def inference(example):
    """inference(arguments, stdin) is what the example program answers: a list of lines of numbers."""

    def run(*arguments, lines=()):
        text = "\n".join(" ".join(map(repr, line)) for line in lines)
        program = [example("inference"), *map(str, arguments)]
        out = subprocess.run(program, input=text, text=True, capture_output=True, check=True).stdout
        return [[float(word) for word in line.split()] for line in out.splitlines()]

    return run


@pytest.fixture(scope="module")
def table():
    """Classes that are no 0, 1, 2 …, of unequal size; a right-or-wrong column and a skewed one."""
    rng = np.random.default_rng(3)
    classes = np.repeat([0, 2, 7], [13, 2, 30])
    return classes, np.column_stack([rng.random(45) < 0.6, rng.exponential(size=45)]).astype(float)


def lines(classes, values):
    return [(int(c), *map(float, np.atleast_1d(v))) for c, v in zip(classes, values)]


def class_means(classes, values, chosen=None):
    chosen = np.arange(len(classes)) if chosen is None else chosen
    return np.mean([values[chosen[classes[chosen] == c]].mean(axis=0) for c in np.unique(classes)], axis=0)


def test_resamples_are_those_of_numpys_philox(inference, table):
    classes, values = table
    resampled = inference("resamples", SEED, RESAMPLES, lines=lines(classes, values))
    message = SEED.to_bytes(8, "little") + bytes(32) + bytes(8) + b"bootstrap"
    key = int.from_bytes(blake3.blake3(message).digest()[:16], "little")
    assert len(resampled) == RESAMPLES
    for b in range(RESAMPLES):
        chosen = []
        for c in np.unique(classes):
            own = np.flatnonzero(classes == c)
            # The block at [0, c, b, 0]: NumPy steps its counter before it draws.
            counter = ((b << 128) + (int(c) << 64) - 1) % 2**256
            words = np.random.Philox(key=key, counter=counter).random_raw(len(own))
            chosen.extend(own[[int(word) * len(own) >> 64 for word in words]])
        expected = class_means(classes, values, np.array(chosen))
        np.testing.assert_allclose(resampled[b], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method,line", [("percentile", 1), ("BCa", 2)])
def test_intervals_of_the_same_resamples_equal_scipys(inference, table, method, line):
    """SciPy is handed our resamples and makes its own interval of them, the classes as its independent samples."""
    classes, values = table
    given = lines(classes, values)

    def estimate(means):
        return means[..., 0] / (1 + means[..., 1] ** 2)

    def statistic(*samples):
        return estimate(class_means(classes, values, np.concatenate(samples).astype(int)))

    resampled = np.array(inference("resamples", SEED, RESAMPLES, lines=given))
    expected = scipy.stats.bootstrap(
        [np.flatnonzero(classes == c) for c in np.unique(classes)],
        statistic,
        n_resamples=0,
        bootstrap_result=types.SimpleNamespace(bootstrap_distribution=estimate(resampled)),
        confidence_level=0.9,
        method=method,
        vectorized=False,
    ).confidence_interval
    found = inference("intervals", SEED, RESAMPLES, lines=given)
    assert found[0][0] == pytest.approx(statistic(np.arange(len(classes))), rel=1e-12)
    np.testing.assert_allclose(found[line], [expected.low, expected.high], rtol=1e-9)


def test_normal_quantiles_equal_scipys(inference):
    p = np.concatenate([np.linspace(0.0005, 0.9995, 1999), 10.0 ** -np.arange(4, 300, 7.0), [0.5]])
    found = np.ravel(inference("normal-quantile", lines=[(float(x),) for x in p]))
    np.testing.assert_allclose(found, scipy.special.ndtri(p), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("a,b", [(0, 0), (1, 0), (3, 3), (2, 9), (40, 61), (700, 801), (0, 900), (26000, 25500)])
def test_mcnemar_equals_statsmodels_and_scipy(inference, a, b):
    ((found,),) = inference("mcnemar", a, b)
    if a + b > 0:
        assert found == pytest.approx(scipy.stats.binomtest(min(a, b), a + b).pvalue, rel=1e-9)
    expected = mcnemar([[5, a], [b, 5]], exact=True).pvalue if a + b > 0 else 1.0
    assert found == pytest.approx(min(expected, 1.0), rel=1e-9)


def test_the_exact_sign_flip_test_equals_scipys(inference):
    rng = np.random.default_rng(8)
    for n in (3, 8, 12):
        difference = np.round(rng.normal(0.4, 1, n), 1)
        ((found,),) = inference("sign-flip", SEED, lines=[(0, float(d)) for d in difference])
        expected = scipy.stats.permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert found == pytest.approx(expected.pvalue, rel=1e-12)


def test_the_drawn_sign_flip_test_is_that_of_numpys_philox(inference):
    rng = np.random.default_rng(9)
    classes = np.sort(rng.integers(0, 4, 700))
    difference = rng.normal(0.06, 1, 700)
    ((found,),) = inference("sign-flip", SEED, lines=lines(classes, difference))
    sizes = np.bincount(classes)
    terms = difference / sizes[classes] / 4
    message = SEED.to_bytes(8, "little") + bytes(32) + bytes(8) + b"sign flip"
    key = int.from_bytes(blake3.blake3(message).digest()[:16], "little")
    hits = 0
    for b in range(10_000):
        words = np.random.Philox(key=key, counter=((b << 128) - 1) % 2**256).random_raw(12)
        bits = np.unpackbits(words.view(np.uint8), bitorder="little")[:700]
        hits += abs(np.sum(np.where(bits == 1, -terms, terms))) >= abs(terms.sum()) * (1 - 1e-12)
    assert found == (1 + hits) / 10_001
    expected = scipy.stats.permutation_test(
        (difference,),
        lambda d, axis: np.sum(d / sizes[classes] / 4, axis=axis),
        permutation_type="samples",
        n_resamples=10_000,
        vectorized=True,
        random_state=1,
    ).pvalue
    assert abs(found - expected) < 5 * np.sqrt(2 * expected * (1 - expected) / 10_000)


@pytest.mark.parametrize("name,method", [("holm", "holm"), ("benjamini-hochberg", "fdr_bh")])
def test_adjusted_p_values_equal_statsmodels(inference, name, method):
    rng = np.random.default_rng(4)
    for n in (1, 2, 17, 400):
        p = rng.random(n) ** 3
        p[: n // 4] = p[0]
        found = np.ravel(inference(name, lines=[(float(x),) for x in p]))
        np.testing.assert_allclose(found, multipletests(p, method=method)[1], rtol=1e-12)
