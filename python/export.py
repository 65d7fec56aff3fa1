"""Exports networks of the RIVAL10 study to ONNX (and, with --torchscript, to TorchScript), each with a sidecar beside it.

    python export.py --list
    python export.py --out models resnet18 vit-t16 clip-rn50
    python export.py --out models --weights robust/resnet50_l2_eps3.pt robust-resnet50-eps3
    python export.py --out models --weights random all

`NETWORK.onnx.json` beside `NETWORK.onnx` states preprocessing and labels, and holds one picture with the logits that
PyTorch gave for it. `rival10 models add NETWORK NETWORK.onnx` replays it, and refuses a network that answers otherwise.
`NETWORK.pt` and `NETWORK.pt.json` are the same for a rival10 that was built with libtorch; see torchscript.py for what the
module returns.
"""

import argparse
import base64
import io
import json
import pathlib
import tomllib

import numpy as np
import torch
from PIL import Image

import torchscript
from networks import NETWORKS, PROJECT

# What rival10's presets of these names do to a picture in [0, 1] before the network sees it.
PRESETS = {
    "none": ([0.0] * 3, [1.0] * 3),
    "imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "timm-bicubic-900": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "timm-inception-900": ([0.5] * 3, [0.5] * 3),
    "clip": ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
}
TAXONOMY = pathlib.Path(__file__).resolve().parents[1] / "schema" / "taxonomy" / "rival10.toml"


def picture(side):
    """A picture that tells channels, orientations and scales apart: smooth in each channel another way, with an edge."""
    y, x = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side), indexing="ij")
    channels = [0.8 * x + 0.1, 0.5 + 0.4 * np.sin(7 * y + 3 * x), np.where((x - 0.4) ** 2 + (y - 0.6) ** 2 < 0.05, 0.9, 0.15)]
    return (np.stack(channels, -1) * 255).round().astype(np.uint8)


def sidecar(network, preset, labels, source, side, path):
    pixels = picture(side)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in PRESETS[preset])
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255.0
    with torch.no_grad():
        logits = network((image - mean) / std)[0][0]
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG", optimize=True)
    document = {
        "rival10_sidecar": 1,
        "source": source,
        "preprocessing": preset,
        "labels": labels,
        "replay": {"picture": base64.b64encode(png.getvalue()).decode(), "logits": logits.tolist()},
    }
    path.write_text(json.dumps(document) + "\n")


def export(row, arguments, classes):
    weights = arguments.weights
    if weights not in ("pretrained", "random"):
        weights = pathlib.Path(weights)
    if row.checkpoint and weights == "pretrained":
        raise SystemExit(f"{row.name}: no library has its weights; fetch the checkpoint and name it with --weights FILE")
    torch.manual_seed(arguments.seed)
    # The fast path of attention is one operator without a gradient.
    torch.backends.mha.set_fastpath_enabled(False)
    if row.labels == PROJECT:
        network, source = row.build(weights, classes)
        labels = classes
    else:
        network, source = row.build(weights)
        labels = row.labels
    source += f", weights {arguments.weights}" + (f" (seed {arguments.seed})" if weights == "random" else "")
    example = torch.zeros(1, 3, row.side, row.side)
    file = arguments.out / f"{row.name}.onnx"
    torch.onnx.export(
        network,
        (example,),
        file,
        dynamo=False,
        opset_version=17,
        input_names=["images"],
        output_names=["logits", "features"],
        dynamic_axes={name: {0: "batch"} for name in ("images", "logits", "features")},
    )
    sidecar(network, row.preset, labels, source, row.side, arguments.out / f"{row.name}.onnx.json")
    if arguments.torchscript:
        module = arguments.out / f"{row.name}.pt"
        torchscript.save(network, row.layer, row.before, row.side, source, module)
        sidecar(network, row.preset, labels, source, row.side, pathlib.Path(f"{module}.json"))
    print(f"{file}: {source}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="networks, or `all`")
    parser.add_argument("--list", action="store_true", help="show every network with its group")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("models"), help="the folder to write to")
    parser.add_argument("--weights", default="pretrained", help="pretrained, random, or a checkpoint file")
    parser.add_argument("--seed", type=int, default=0, help="of random weights")
    parser.add_argument("--classes", type=pathlib.Path, default=TAXONOMY, help="the taxonomy whose classes CLIP is asked for")
    parser.add_argument("--torchscript", action="store_true", help="write NETWORK.pt and its sidecar as well")
    arguments = parser.parse_args()
    if arguments.list:
        for row in NETWORKS:
            print(f"{row.name:24} {row.group:14} preset {row.preset}")
        return
    known = {row.name: row for row in NETWORKS}
    names = list(known) if arguments.names == ["all"] else arguments.names
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        parser.error(f"no network is called {unknown[0]!r}; --list shows them" if unknown else "name a network, or `all`")
    if len(names) > 1 and arguments.weights not in ("pretrained", "random"):
        parser.error("a checkpoint is of one network: name one")
    arguments.out.mkdir(parents=True, exist_ok=True)
    classes = [entry["name"] for entry in tomllib.loads(arguments.classes.read_text())["classes"]]
    for name in names:
        export(known[name], arguments, classes)


if __name__ == "__main__":
    main()
