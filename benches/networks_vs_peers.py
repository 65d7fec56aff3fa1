#!/usr/bin/env python3
"""Forwards and Grad-CAM of four networks, next to PyTorch and ONNX Runtime on the same two cores.

    cargo build --workspace --example throughput && python benches/networks_vs_peers.py target/debug/examples/throughput

needs torch, torchvision, timm, onnx, onnxruntime and grad-cam. Networks with random weights at 224 x 224, exported here. Ours
and ONNX Runtime run one worker a core with a batch of one each (ONNX Runtime: a session of one thread a worker); PyTorch uses
both cores for one batch, of the size and memory format that is the fastest of those tried. Grad-CAM is of the predicted class at
the last block: ours, pytorch-grad-cam's, and one written by hand in PyTorch with frozen parameters and one hook, both one
picture at a time and in batches of eight, whichever is faster. All take turns, in every round; prints the median of the rounds
and the median of the rounds' ratios as Markdown tables.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time

import onnxruntime
import timm
import torch
import torchvision
from pytorch_grad_cam import GradCAM

NETWORKS = {
    "mobilenet_v2": (lambda: torchvision.models.mobilenet_v2(weights=None), lambda n: n.features[-1], None),
    "efficientnet_lite0": (lambda: timm.create_model("tf_efficientnet_lite0"), lambda n: n.bn2, None),
    "resnet50": (lambda: torchvision.models.resnet50(weights=None), lambda n: n.layer4[-1], None),
    "vit_tiny_patch16": (
        lambda: timm.create_model("vit_tiny_patch16_224"),
        lambda n: n.blocks[-1].norm1,
        lambda tokens: tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, 14, 14),
    ),
}


def rate(work, seconds, images):
    """Images a second of `work`, which does `images` at once."""
    work()
    done, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        work()
        done += images
    return done / (time.monotonic() - begun)


def ours(binary, file, method, seconds):
    said = subprocess.run([binary, file, "imagenet", method, str(seconds), "2"], check=True, capture_output=True, text=True)
    return float(said.stdout.split()[-1])


def onnx_runtime(file, seconds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    sessions = [onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]) for _ in range(2)]
    x = torch.rand(1, 3, 224, 224).numpy()
    rates = [0.0, 0.0]

    def worker(i):
        rates[i] = rate(lambda: sessions[i].run(None, {"input": x}), seconds, 1)

    workers = [threading.Thread(target=worker, args=(i,)) for i in range(2)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    return sum(rates)


WAYS = [(1, torch.contiguous_format), (8, torch.contiguous_format), (1, torch.channels_last), (8, torch.channels_last)]


def fastest(make, seconds):
    """The best rate over the ways of `make(batch, format)`."""
    return max(rate(make(batch, form), seconds / len(WAYS), batch) for batch, form in WAYS)


def forwards(network):
    def make(batch, form):
        moved, x = network.to(memory_format=form), torch.rand(batch, 3, 224, 224).contiguous(memory_format=form)

        def work():
            with torch.inference_mode():
                moved(x)

        return work

    return make


def pytorch_grad_cam(network, layer, laid):
    def make(batch, form):
        moved, x = network.requires_grad_(True).to(memory_format=form), torch.rand(batch, 3, 224, 224).contiguous(memory_format=form)

        def work():
            with GradCAM(model=moved, target_layers=[layer(moved)], reshape_transform=laid) as cam:
                cam(input_tensor=x, targets=None)

        return work

    return make


def by_hand(network, layer, laid):
    laid = laid or (lambda a: a)

    def make(batch, form):
        moved, x = network.requires_grad_(False).to(memory_format=form), torch.rand(batch, 3, 224, 224).contiguous(memory_format=form)
        held = {}

        def keep(_module, _input, output):
            output = output.detach().requires_grad_()
            held["a"] = output
            return output

        def work():
            handle = layer(moved).register_forward_hook(keep)
            logits = moved(x)
            handle.remove()
            gradient, = torch.autograd.grad(logits.max(1).values.sum(), held["a"])
            a, gradient = laid(held["a"].detach()), laid(gradient)
            cam = torch.relu((gradient.mean((2, 3), keepdim=True) * a).sum(1, keepdim=True))
            cam = cam - cam.amin((2, 3), keepdim=True)
            cam = cam / (cam.amax((2, 3), keepdim=True) + 1e-7)
            torch.nn.functional.interpolate(cam, size=(224, 224), mode="bilinear")

        return work

    return make


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    tables = {"forwards": [], "Grad-CAM": []}
    with tempfile.TemporaryDirectory() as home:
        for name, (build, layer, laid) in NETWORKS.items():
            network = build().eval()
            file = f"{home}/{name}.onnx"
            torch.onnx.export(network, (torch.rand(1, 3, 224, 224),), file, dynamo=False, opset_version=17,
                              input_names=["input"], output_names=["logits"])
            columns = {
                "forwards": [
                    lambda: ours(arguments.binary, file, "forward", arguments.seconds),
                    lambda: onnx_runtime(file, arguments.seconds),
                    lambda: fastest(forwards(network), arguments.seconds),
                ],
                "Grad-CAM": [
                    lambda: ours(arguments.binary, file, "grad_cam", arguments.seconds),
                    lambda: fastest(pytorch_grad_cam(network, layer, laid), arguments.seconds),
                    lambda: fastest(by_hand(network, layer, laid), arguments.seconds),
                ],
            }
            for table, competitors in columns.items():
                rounds = [[compete() for compete in competitors] for _ in range(arguments.rounds)]
                medians = [statistics.median(column) for column in zip(*rounds)]
                ratios = [statistics.median(row[0] / row[i] for row in rounds) for i in (1, 2)]
                tables[table].append((name, medians, ratios))
    for table, (second, third) in {
        "forwards": ("ONNX Runtime", "PyTorch"),
        "Grad-CAM": ("pytorch-grad-cam", "PyTorch by hand"),
    }.items():
        print(f"\n| {table} | ours | {second} | {third} | ours / {second} | ours / {third} |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        for name, medians, ratios in tables[table]:
            print(f"| {name} | " + " | ".join(f"{m:.1f}" for m in medians) + " | " + " | ".join(f"{r:.2f}" for r in ratios) + " |")


if __name__ == "__main__":
    main()
