#!/usr/bin/env python3
"""Noise sensitivity of two networks over real photos, next to the study's procedure written in PyTorch.

    cargo build && python benches/noise_vs_pytorch.py target/debug/rival10 $RIVAL10_DATA --rounds 3

needs torch, torchvision and timm. The study's procedure: for each of seven levels and each region a pass over the data set
that decodes and resizes every image, draws noise, and makes a clean and a noised forward: 28 forwards an image and network.
Ours makes 15 (one clean, seven levels, two regions) and decodes once for both networks. Networks of the same layout with random
weights stand in for the ONNX files: their cost is the same. Both use two threads and take turns; wall clock and processor
seconds (user and system) of whole processes, start-up included, and the peak of resident memory. Prints a Markdown table.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

from processes import measured

LEVELS = [30, 60, 90, 120, 150, 180, 210]


def study(folder, batch_size, channels_last):
    """The procedure, as a process of its own."""
    import numpy as np
    import timm
    import torch
    import torchvision
    from PIL import Image

    torch.set_num_threads(2)
    torch.manual_seed(0)
    form = torch.channels_last if channels_last else torch.contiguous_format
    networks = [torchvision.models.mobilenet_v2(weights=None), timm.create_model("tf_efficientnet_lite0", pretrained=False)]
    networks = [network.eval().to(memory_format=form) for network in networks]
    files = sorted(file for file in folder.glob("*/*") if file.suffix in (".jpg", ".jpeg") and "_mask" not in file.stem)

    def load(file):
        picture = Image.open(file).convert("RGB").resize((224, 224), Image.BILINEAR)
        mask = Image.open(file.with_name(file.stem + "_mask.png")).convert("L").resize((224, 224), Image.NEAREST)
        x = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        return x, (torch.from_numpy(np.array(mask)) > 127).float()

    with torch.inference_mode():
        for network in networks:
            for level in LEVELS:
                for region in ("foreground", "background"):
                    for at in range(0, len(files), batch_size):
                        loaded = [load(file) for file in files[at : at + batch_size]]
                        x, m = torch.stack([x for x, _ in loaded]), torch.stack([m for _, m in loaded])[:, None]
                        m = m if region == "foreground" else 1 - m
                        noised = torch.clip(x + level / 255 * torch.randn_like(x) * m, 0, 1)
                        network(x.to(memory_format=form)).argmax(1)
                        network(noised.to(memory_format=form)).argmax(1)
    print(len(files))


def project(binary, data, home):
    """A project of the photos and both networks in `home`; gives what makes a command of it, on two threads."""
    def rival10(*command):
        return [binary, "--quiet", "--threads", "2", "--project", home, *command]

    measured(rival10("init"))
    measured(rival10("import", "--format", "images", data / "images"))
    groups = data / "models/imagenet_to_rival10_groups.json"
    for name, file, preset in [
        ("mobilenet", "mobilenet_v2_1.0_224.onnx", "mobilenet"),
        ("lite0", "efficientnet_lite0.onnx", "efficientnet-lite"),
    ]:
        measured(rival10("models", "add", name, data / "models" / file, "--labels", groups, "--preset", preset))
    return rival10


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--study", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.study:
        return study(arguments.data / "images", arguments.batch_size, arguments.channels_last)
    binary, data = arguments.binary.resolve(), arguments.data.resolve()
    with tempfile.TemporaryDirectory() as home:
        rival10 = project(binary, data, home)
        analyze = ["analyze", "--plugin", "noise-sensitivity", "--model", "mobilenet,lite0", "--set", "trials=1"]
        images = len([f for f in (data / "images").glob("*/*.jp*g")])
        ours, theirs = [], []
        for seed in range(arguments.rounds):
            ours.append(measured(rival10("--seed", seed, *analyze)))
            options = ["--batch-size", arguments.batch_size] + ["--channels-last"] * arguments.channels_last
            theirs.append(measured([sys.executable, __file__, binary, data, "--study", *options]))
        few = measured(rival10("--seed", 99, *analyze, "--limit", 20))
    print(f"{images} photos, {arguments.rounds} rounds in turns, batches of {arguments.batch_size} in PyTorch\n")
    print("| what | images a second | processor seconds an image | peak MB |\n| --- | ---: | ---: | ---: |")
    rows = {"rival10, 15 forwards a network": ours, "PyTorch, the study's 28": theirs}
    medians = {}
    for name, runs in rows.items():
        wall, cpu, memory = (statistics.median(run[i] for run in runs) for i in range(3))
        medians[name] = wall, cpu
        print(f"| {name} | {images / wall:.2f} | {cpu / images:.3f} | {memory:.0f} |")
    (wall, cpu), (their_wall, their_cpu) = medians.values()
    print(f"\n{their_wall / wall:.2f} times by the clock, {their_cpu / cpu:.2f} times by processor time; "
          f"peak with 20 photos instead of {images}: {few[2]:.0f} MB")


if __name__ == "__main__":
    main()
