#!/usr/bin/env python3
"""Saliency alignment of two networks over real photos, next to pytorch-grad-cam and NumPy doing the same.

    cargo build && python benches/alignment_vs_pytorch.py target/debug/rival10 $RIVAL10_DATA --rounds 3

needs torch, torchvision, timm, grad-cam and scikit-learn. Both decode and resize each photo, compute Grad-CAM of the predicted
class at the last convolutional block, and score the map against the mask by the study's five metrics (IoU, delta density, average
precision, saliency precision, saliency recall at three thresholds). pytorch-grad-cam gets one photo at a time, its own way to
be exact, or batches. Networks of the same layout with random weights stand in for the ONNX files: their cost is the same. Both
use two threads and take turns; wall clock, processor seconds (user and system) and peak of resident memory of whole processes,
start-up included. Prints a Markdown table.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

from noise_vs_pytorch import project
from processes import measured


def study(folder, batch_size, channels_last):
    """The procedure, as a process of its own."""
    import numpy as np
    import timm
    import torch
    import torchvision
    from PIL import Image
    from pytorch_grad_cam import GradCAM
    from sklearn.metrics import average_precision_score

    torch.set_num_threads(2)
    torch.manual_seed(0)
    form = torch.channels_last if channels_last else torch.contiguous_format
    mobilenet = torchvision.models.mobilenet_v2(weights=None)
    lite0 = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    networks = [(mobilenet, mobilenet.features[-1]), (lite0, lite0.bn2)]
    files = sorted(file for file in folder.glob("*/*") if file.suffix in (".jpg", ".jpeg") and "_mask" not in file.stem)

    def load(file):
        picture = Image.open(file).convert("RGB").resize((224, 224), Image.BILINEAR)
        mask = Image.open(file.with_name(file.stem + "_mask.png")).convert("L").resize((224, 224), Image.NEAREST)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255, np.array(mask) > 127

    def score(g, m):
        inside = (g / max(g.max(), 1e-12) >= 0.5)
        iou = ((inside & m).sum() + 1e-10) / ((inside | m).sum() + 1e-10)
        density = g[m].mean() - g[~m].mean()
        precision = g[m].sum() / g.sum()
        ascending = np.sort(g, axis=None)
        running = ascending.cumsum()
        taus = [ascending[min(np.searchsorted(running, t * running[-1], side="right"), g.size - 1)] for t in (0.25, 0.5, 0.75)]
        recalls = [((g >= tau) & (g > 0) & m).sum() / m.sum() for tau in taus]
        return iou, density, average_precision_score(m.ravel(), g.ravel()), precision, *recalls

    for network, layer in networks:
        network.eval().to(memory_format=form)
        with GradCAM(model=network, target_layers=[layer]) as cam:
            for at in range(0, len(files), batch_size):
                loaded = [load(file) for file in files[at : at + batch_size]]
                maps = cam(input_tensor=torch.stack([x for x, _ in loaded]).to(memory_format=form), targets=None)
                for g, (_, m) in zip(maps, loaded):
                    if m.any() and not m.all():
                        score(g, m)
    print(len(files))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--study", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.study:
        return study(arguments.data / "images", arguments.batch_size, arguments.channels_last)
    binary, data = arguments.binary.resolve(), arguments.data.resolve()
    images = len(list((data / "images").glob("*/*.jp*g")))
    ours, theirs = [], []
    # Every round in a project of its own: a run that is there already is not computed again.
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as home:
            rival10 = project(binary, data, home)
            ours.append(measured(rival10("analyze", "--plugin", "saliency-alignment", "--model", "mobilenet,lite0")))
            options = ["--batch-size", arguments.batch_size] + ["--channels-last"] * arguments.channels_last
            theirs.append(measured([sys.executable, __file__, binary, data, "--study", *options]))
    how = f"batches of {arguments.batch_size}" if arguments.batch_size > 1 else "one photo at a time"
    form = ", channels last" if arguments.channels_last else ""
    print(f"{images} photos, 2 networks, {arguments.rounds} rounds in turns; pytorch-grad-cam takes {how}{form}\n")
    print("| what | images a second | processor seconds an image | peak MB |\n| --- | ---: | ---: | ---: |")
    medians = []
    for name, runs in [("rival10, intervals and baselines too", ours), ("pytorch-grad-cam, NumPy, scikit-learn", theirs)]:
        wall, processor, memory = (statistics.median(run[i] for run in runs) for i in range(3))
        medians.append((wall, processor))
        print(f"| {name} | {images / wall:.2f} | {processor / images:.3f} | {memory:.0f} |")
    (wall, processor), (their_wall, their_processor) = medians
    print(f"\n{their_wall / wall:.2f} times by the clock, {their_processor / processor:.2f} times by processor time")


if __name__ == "__main__":
    main()
