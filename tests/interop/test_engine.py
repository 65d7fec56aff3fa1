"""The engine's logits, activations and preset pictures against ONNX Runtime, Pillow and torchvision's arithmetic.

Guards the promise that a network gives here what it gives elsewhere: logits and activations within 1e-3 of ONNX
Runtime's on every real model and on small ones of every shape that files come in, pictures equal to Pillow's in every
value, and a clear error for what can't be run.
"""

import json
import math
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

SHARED = {
    "mobilenet_v1_0.25_128.onnx": ("mobilenet", 128),
    "mobilenet_v2_1.0_224.onnx": ("mobilenet", 224),
    "efficientnet_lite0.onnx": ("efficientnet-lite", 224),
    "squeezenet_v1.1.onnx": ("squeezenet-caffe", 227),
    "cifar10_resnet20.onnx": ("cifar10", 32),
}

# (scale, mean, std): the network's input is (scale * v - mean) / std for v in [0, 1].
SCALING = {
    "mobilenet": (255, [128] * 3, [128] * 3),
    "efficientnet-lite": (255, [127] * 3, [128] * 3),
    "squeezenet-caffe": (255, [123, 117, 104], [1] * 3),
    "cifar10": (1, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "none": (1, [0] * 3, [1] * 3),
}


def scaled(pictures, preset):
    scale, mean, std = (np.asarray(value, np.float32) for value in SCALING[preset])
    return (scale * pictures - mean.reshape(-1, 1, 1)) / std.reshape(-1, 1, 1)


def runtime(model):
    """A session without graph rewrites, on one thread: the plain reading of the file."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    data = model if isinstance(model, (str, bytes)) else model.SerializeToString()
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


@pytest.fixture
def engine(example, tmp_path):
    """engine(model, preprocessing, pictures, taps, seed, targets) -> (logits, taps, summary); check=False gives the run.

    Gradients of sum(seed * logits) by each target are left in out.gradient<i>.f32.
    """

    def run(model, preprocessing, pictures, taps=(), seed=None, targets=(), check=True):
        pathlib.Path(tmp_path / "in.f32").write_bytes(np.ascontiguousarray(pictures, "<f4").tobytes())
        arguments = [example("logits"), str(model), preprocessing, str(tmp_path / "out")]
        for tap in taps:
            arguments += ["--tap", tap]
        if seed is not None:
            np.ascontiguousarray(seed, "<f4").tofile(tmp_path / "seed.f32")
            arguments += ["--seed", str(tmp_path / "seed.f32")]
            for target in targets:
                arguments += ["--gradient", target]
        done = subprocess.run([*arguments, str(tmp_path / "in.f32")], capture_output=True, text=True)
        if not check:
            return done
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        read = lambda name, shape: np.fromfile(tmp_path / f"out.{name}.f32", "<f4").reshape(shape)
        tapped = [read(f"tap{i}", shape) for i, shape in enumerate(summary["taps"])]
        return read("logits", summary["logits"]), tapped, summary

    return run


def photos(real_data, size, count=8):
    files = sorted((real_data / "images").glob("*/*.jpg"))
    files = files[:: max(1, len(files) // count)][:count]
    assert len(files) == count
    pictures = [np.asarray(Image.open(f).convert("RGB").resize((size, size), Image.BILINEAR)) for f in files]
    return np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("file", SHARED)
def test_logits_of_real_models_are_onnxruntimes(file, real_data, engine):
    preset, size = SHARED[file]
    model = real_data / "models" / file
    pictures = photos(real_data, size)
    logits, _, summary = engine(model, preset, pictures)
    session = runtime(str(model))
    expected = session.run(["logits"], {session.get_inputs()[0].name: scaled(pictures, preset)})[0]
    difference = np.abs(logits - expected).max()
    print(f"{file}: largest logit {np.abs(expected).max():.2f}, largest difference {difference:.2e}")
    assert difference < 1e-3
    assert summary["inspection"]["logits"] == "logits"
    assert summary["inspection"]["remarks"] == []


@pytest.mark.parametrize("file", SHARED)
def test_every_layer_can_be_tapped_and_is_onnxruntimes(file, real_data, engine):
    preset, size = SHARED[file]
    path = real_data / "models" / file
    pictures = photos(real_data, size, 2)
    _, _, summary = engine(path, preset, pictures)
    layers = {layer["name"]: layer for layer in summary["inspection"]["layers"]}
    model = onnx.load(path)
    named = {output: node.op_type for node in model.graph.node for output in node.output}
    declared = {output.name for output in model.graph.output}
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in layers if name not in declared)
    session = runtime(model)
    names = list(layers)
    expected = session.run(names, {session.get_inputs()[0].name: scaled(pictures, preset)})
    _, tapped, _ = engine(path, preset, pictures, names)
    worst = 0
    for name, ours, theirs in zip(names, tapped, expected):
        assert layers[name]["shape"] == [1, *theirs.shape[1:]] and layers[name]["operator"] == named[name]
        worst = max(worst, np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max()))
    print(f"{file}: {len(names)} layers, largest difference {worst:.2e} of the layer's largest value")
    assert len(names) >= sum(node.op_type in ("Conv", "Relu", "Clip", "Add") for node in model.graph.node)
    assert worst < 1e-4


@pytest.mark.parametrize("file", SHARED)
def test_gradients_of_real_models_are_onnxruntimes_differences(file, real_data, engine, tmp_path):
    preset, size = SHARED[file]
    path = real_data / "models" / file
    pictures = photos(real_data, size, 2)
    logits, _, summary = engine(path, preset, pictures)
    spatial = [layer["name"] for layer in summary["inspection"]["layers"]
               if len(layer["shape"]) == 4 and layer["shape"][2] > 1]
    target = spatial[-1]
    seed = np.zeros_like(logits)
    seed[[0, 1], logits.argmax(1)] = 1
    _, [activations], summary = engine(path, preset, pictures, [target], seed, [target])
    gradient = np.fromfile(tmp_path / "out.gradient0.f32", "<f4").reshape(summary["gradients"][0])
    onnx.utils.extract_model(str(path), str(tmp_path / "tail.onnx"), [target], ["logits"])
    tail = runtime(str(tmp_path / "tail.onnx"))
    project = lambda at: (tail.run(["logits"], {target: at})[0].astype(np.float64) * seed).sum(1)
    rng = np.random.default_rng(2)
    for _ in range(5):
        # Upwards only: below 0 the activations of a relu would be none.
        direction = rng.random(activations.shape, np.float32)
        step = np.float32(np.abs(activations).max() / 16)
        difference = (project(activations + step * direction) - project(activations)) / step
        exact = (gradient.astype(np.float64) * direction).sum((1, 2, 3))
        assert np.abs(difference - exact).max() < 1e-3 * np.abs(exact).max() + 1e-4


@pytest.mark.parametrize("preset, fraction, filter", [
    ("imagenet", 0.875, Image.BILINEAR),
    ("timm-bicubic", 0.875, Image.BICUBIC),
    ("timm-bicubic-900", 0.9, Image.BICUBIC),
    ("clip", 1.0, Image.BICUBIC),
])
@pytest.mark.parametrize("size", [(500, 375), (375, 500), (301, 299), (640, 91), (224, 224), (33, 57)])
def test_preset_pictures_are_torchvisions_on_pillow(preset, fraction, filter, size, example, tmp_path):
    rng = np.random.default_rng(list(size))
    noise = rng.integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "in.png")
    subprocess.run([example("frame"), preset, "224x224", tmp_path / "in.png", tmp_path / "out.rgb"], check=True)
    ours = np.fromfile(tmp_path / "out.rgb", np.uint8).reshape(224, 224, 3)
    expected = np.asarray(center_crop(resize(Image.fromarray(noise), math.floor(224 / fraction), filter), 224))
    assert np.array_equal(ours, expected)


def resize(image, shorter, filter):
    """torchvision.transforms.Resize(shorter) on a PIL image."""
    width, height = image.size
    short, long = (width, height) if width <= height else (height, width)
    longer = int(shorter * long / short)
    return image.resize((shorter, longer) if width <= height else (longer, shorter), filter)


def center_crop(image, crop):
    """torchvision.transforms.CenterCrop(crop) on a PIL image."""
    width, height = image.size
    top, left = int(round((height - crop) / 2.0)), int(round((width - crop) / 2.0))
    return image.crop((left, top, left + crop, top + crop))


# Small models of every shape that files come in.


def small_model(shape, *, nodes=None, outputs=None, opset=13, extra=(), ir=8):
    """A convolution, a pool and a linear layer over an input of `shape` (NCHW), with weights drawn from a seed."""
    rng = np.random.default_rng(7)
    weights = {
        "w1": rng.normal(0, 0.4, (6, 3, 3, 3)), "b1": rng.normal(0, 0.4, 6),
        "w2": rng.normal(0, 0.4, (5, 6)), "b2": rng.normal(0, 0.4, 5),
    }
    body = nodes or small_body("x")
    graph = helper.make_graph(
        body, "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        outputs or [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [None, 5])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()] + list(extra),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def small_body(source, last="logits"):
    return [
        helper.make_node("Conv", [source, "w1", "b1"], ["conv"], "first", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["conv"], ["relu"], "act"),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"], "pooling"),
        helper.make_node("Flatten", ["pool"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "w2", "b2"], [last], "head", transB=1),
    ]


def pictures_of(count, height, width):
    return np.random.default_rng(3).random((count, 3, height, width), np.float32)


def preprocessing(**changes):
    base = {"scale": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3, "framing": {"whole": {"filter": "bilinear"}}}
    return json.dumps(base | changes)


def check_against_runtime(engine, model, tmp_path, pictures, settings="none", output="logits", feed=lambda p: p):
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    logits, _, summary = engine(path, settings, pictures)
    session = runtime(model)
    # One picture at a time, in as many copies as the file fixes.
    copies = session.get_inputs()[0].shape[0]
    copies = copies if isinstance(copies, int) else 1
    expected = [session.run([output], {"x": np.repeat(feed(pictures[i : i + 1]), copies, 0)})[0][:1]
                for i in range(len(pictures))]
    assert np.abs(logits - np.concatenate(expected).reshape(logits.shape)).max() < 1e-5
    return summary["inspection"]


@pytest.mark.parametrize("opset", range(9, 22))
def test_a_free_batch_at_every_opset(opset, engine, tmp_path):
    model = small_model(["n", 3, 8, 12], opset=opset)
    inspection = check_against_runtime(engine, model, tmp_path, pictures_of(3, 8, 12))
    assert inspection["preprocessing"]["input"] == {"width": 12, "height": 8}
    assert inspection["opsets"] == [{"domain": "ai.onnx", "version": opset}]
    assert inspection["parameters"] == 6 * 27 + 6 + 30 + 5


def test_a_fixed_batch_runs_one_picture_at_a_time(engine, tmp_path):
    inspection = check_against_runtime(engine, small_model([4, 3, 8, 8]), tmp_path, pictures_of(3, 8, 8))
    assert inspection["remarks"] == []
    assert [layer["shape"][0] for layer in inspection["layers"]] == [1] * 5


def test_a_batch_that_is_baked_in_runs_as_copies(engine, tmp_path):
    body = small_body("x")
    body[3] = helper.make_node("Reshape", ["pool", "four"], ["flat"], "flatten")
    four = numpy_helper.from_array(np.array([4, 6]), "four")
    inspection = check_against_runtime(engine, small_model([4, 3, 8, 8], nodes=body, extra=[four]), tmp_path,
                                       pictures_of(2, 8, 8))
    assert "fixes the batch to 4" in inspection["remarks"][0]
    assert inspection["layers"][0]["shape"] == [1, 6, 4, 4]


def test_free_sides_need_a_size(engine, tmp_path):
    model = small_model(["n", 3, "h", "w"])
    onnx.save(model, tmp_path / "model.onnx")
    refused = engine(tmp_path / "model.onnx", "none", pictures_of(1, 8, 8), check=False)
    assert refused.returncode == 1 and "setting input" in refused.stderr
    settings = preprocessing(input={"width": 10, "height": 6})
    check_against_runtime(engine, model, tmp_path, pictures_of(2, 6, 10), settings)


def test_channels_last(engine, tmp_path):
    body = [helper.make_node("Transpose", ["x"], ["nchw"], perm=[0, 3, 1, 2]), *small_body("nchw")]
    model = small_model(["n", 8, 12, 3], nodes=body)
    inspection = check_against_runtime(engine, model, tmp_path, pictures_of(2, 8, 12),
                                       feed=lambda p: p.transpose(0, 2, 3, 1))
    assert inspection["preprocessing"]["layout"] == "nhwc"


def test_a_layout_that_the_shape_does_not_tell_must_be_set(engine, tmp_path):
    onnx.save(small_model(["n", 3, 3, 3]), tmp_path / "model.onnx")
    refused = engine(tmp_path / "model.onnx", "none", pictures_of(1, 3, 3), check=False)
    assert refused.returncode == 1 and "set layout to nchw or nhwc" in refused.stderr
    check_against_runtime(engine, small_model(["n", 3, 3, 3]), tmp_path, pictures_of(2, 3, 3),
                          preprocessing(layout="nchw"))


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_logits_are_taken_before_a_final_softmax_and_it_is_said(operator, engine, tmp_path):
    body = [*small_body("x", "scores"), helper.make_node(operator, ["scores"], ["probabilities"], "last"),
            helper.make_node("Identity", ["probabilities"], ["out"])]
    model = small_model(["n", 3, 8, 8], nodes=body, outputs=[
        helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, 5]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 5]),
    ])
    declared = onnx.ModelProto()
    declared.CopyFrom(model)
    del declared.graph.output[1]
    onnx.save(declared, tmp_path / "declared.onnx")
    logits, _, summary = engine(tmp_path / "declared.onnx", "none", pictures_of(2, 8, 8))
    expected = runtime(model).run(["scores"], {"x": pictures_of(2, 8, 8)})[0]
    assert np.abs(logits - expected).max() < 1e-5
    [remark] = summary["inspection"]["remarks"]
    assert f'"out" ends in {operator}' in remark and '"scores"' in remark


def test_probabilities_without_a_softmax_are_suspected(engine, tmp_path):
    body = [*small_body("x", "scores"), helper.make_node("Exp", ["scores"], ["e"]),
            helper.make_node("ReduceSum", ["e", "one"], ["total"], keepdims=1), helper.make_node("Div", ["e", "total"], ["logits"])]
    model = small_model(["n", 3, 8, 8], nodes=body, extra=[numpy_helper.from_array(np.array([1]), "one")])
    inspection = check_against_runtime(engine, model, tmp_path, pictures_of(2, 8, 8))
    assert "look like probabilities" in inspection["remarks"][0]
    settings = preprocessing(output="scores")
    onnx.save(model, tmp_path / "model.onnx")
    _, _, summary = engine(tmp_path / "model.onnx", settings, pictures_of(2, 8, 8))
    assert summary["inspection"]["remarks"] == [] and summary["inspection"]["logits"] == "scores"


def test_logits_with_trailing_axes_are_logits(engine, tmp_path):
    body = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["conv"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["conv"], ["pooled"]),
    ]
    model = small_model(["n", 3, 8, 8], nodes=body,
                        outputs=[helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [None, 6, 1, 1])])
    check_against_runtime(engine, model, tmp_path, pictures_of(2, 8, 8), output="pooled")


def test_weights_in_a_file_beside_the_model(engine, tmp_path):
    model = small_model(["n", 3, 8, 8])
    expected = runtime(model).run(["logits"], {"x": pictures_of(2, 8, 8)})[0]
    onnx.save(model, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    logits, _, before = engine(tmp_path / "model.onnx", "none", pictures_of(2, 8, 8))
    assert np.abs(logits - expected).max() < 1e-5
    weights = tmp_path / "weights.bin"
    changed = bytearray(weights.read_bytes())
    changed[2] ^= 1
    weights.write_bytes(changed)
    _, _, after = engine(tmp_path / "model.onnx", "none", pictures_of(2, 8, 8))
    assert after["digest"] != before["digest"], "the digest covers weights outside of the file"
    weights.write_bytes(changed[:-4])
    assert "weights.bin holds" in engine(tmp_path / "model.onnx", "none", pictures_of(1, 8, 8), check=False).stderr
    weights.unlink()
    missing = engine(tmp_path / "model.onnx", "none", pictures_of(1, 8, 8), check=False)
    assert missing.returncode == 1 and "weights.bin, which is missing" in missing.stderr


def test_an_unknown_operator_is_named_with_its_node(engine, tmp_path):
    body = small_body("x")
    body[1] = helper.make_node("Swizzle", ["conv"], ["relu"], "odd", domain="com.example")
    model = small_model(["n", 3, 8, 8], nodes=body)
    onnx.save(model, tmp_path / "model.onnx")
    refused = engine(tmp_path / "model.onnx", "none", pictures_of(1, 8, 8), check=False)
    assert refused.returncode == 1 and 'node \\"odd\\" (com.example.Swizzle)' in refused.stderr


def test_a_node_that_cannot_be_run_is_named(engine, tmp_path):
    body = small_body("x")
    body[4] = helper.make_node("Gemm", ["flat", "w1", "b2"], ["logits"], "head")
    onnx.save(small_model(["n", 3, 8, 8], nodes=body), tmp_path / "model.onnx")
    refused = engine(tmp_path / "model.onnx", "none", pictures_of(1, 8, 8), check=False)
    assert refused.returncode == 1 and "head" in refused.stderr and "Gemm" in refused.stderr
    assert "panicked" not in refused.stderr
