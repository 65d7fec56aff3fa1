"""Labels that are doubted, against cleanlab's confident learning.

One convention differs: where a row reaches the threshold of two classes or more, ours is the likeliest of these, as the
paper has it, and cleanlab's the likeliest of all classes, which may not reach its own. Such rows are left to the reference
below, written from the paper.
"""

import json
import subprocess

import numpy as np
import pytest
from cleanlab.filter import find_label_issues


@pytest.fixture(scope="module")
def doubted(example):
    def doubted(labels, probabilities):
        case = {"labels": labels.tolist(), "probabilities": probabilities.tolist()}
        program = [example("agreement"), "doubted"]
        done = subprocess.run(program, input=json.dumps(case), capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return doubted


def case(seed, images, classes, noise, sharpness):
    """Labels of which a share is wrong, and probabilities of a model that knows the truth more or less."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, images)
    labels = np.where(rng.random(images) < noise, rng.integers(0, classes, images), truth)
    logits = rng.normal(size=(images, classes)) + sharpness * np.eye(classes)[truth]
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def reference(labels, probabilities):
    classes = probabilities.shape[1]
    thresholds = np.array([probabilities[labels == c, c].mean() for c in range(classes)])
    found = []
    for at, (label, row) in enumerate(zip(labels, probabilities)):
        sure = np.flatnonzero(row >= thresholds - 1e-6)
        if len(sure) and (guess := sure[row[sure].argmax()]) != label and row.argmax() != label:
            found.append((at, guess))
    margin = {at: probabilities[at, labels[at]] - np.delete(probabilities[at], labels[at]).max() for at, _ in found}
    return sorted(found, key=lambda one: (margin[one[0]], one[0])), thresholds


@pytest.mark.parametrize("seed, images, classes, noise, sharpness", [
    (1, 400, 10, 0.1, 4.0),
    (2, 300, 3, 0.3, 2.0),
    (3, 500, 5, 0.05, 1.0),
    (4, 200, 2, 0.2, 3.0),
])
def test_doubted_labels_are_cleanlabs(doubted, seed, images, classes, noise, sharpness):
    labels, probabilities = case(seed, images, classes, noise, sharpness)
    found = doubted(labels, probabilities)
    expected, thresholds = reference(labels, probabilities)
    assert [(one["at"], one["class"]) for one in found] == expected

    issues = find_label_issues(
        labels, probabilities, filter_by="confident_learning", return_indices_ranked_by=None, n_jobs=1,
        min_examples_per_class=0,
    )
    top = probabilities.argmax(axis=1)
    sure = (probabilities >= thresholds - 1e-6).sum(axis=1)
    apart = (sure > 1) & (probabilities[np.arange(images), top] < thresholds[top] - 1e-6)
    ours = np.isin(np.arange(images), [one["at"] for one in found])
    assert np.array_equal(ours[~apart], issues[~apart])
    assert issues.sum() > 3 and apart.mean() < 0.35
