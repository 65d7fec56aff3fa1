"""`rival10 models gradient`: ONNX Runtime runs the file that it writes, and gives the gradients of the engine's own backward.

Real models where RIVAL10_DATA names them; the networks of the repository, a CNN and a class-token ViT, always. A file of
every operator's rule: overlapping max pools, average pools that count padding and that do not, strides, groups, dilations.
"""

import json
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLAIN = json.dumps({"scale": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3, "framing": {"whole": {"filter": "bilinear"}}})


def runtime(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.fixture
def compared(rival10, example, tmp_path):
    """compared(model, targets): by target, how far the file's gradient is from the engine's, as a share of its largest."""

    def run(model, targets=(None, "input"), side=None):
        found = {}
        for target in targets:
            out = tmp_path / "gradient.onnx"
            arguments = ["models", "gradient", model, "--out", out, "--json"]
            written = json.loads(rival10(*arguments, *(["--target", target] if target else []), cwd=tmp_path))
            onnx.checker.check_model(onnx.load(out), full_check=True)
            (picture_name, shape), (seed_name, logits_shape) = written["inputs"]
            rng = np.random.default_rng(5)
            picture = rng.normal(0, 1, shape).astype(np.float32)
            seed = rng.normal(0, 1, logits_shape).astype(np.float32)
            answers = runtime(out).run(None, {picture_name: picture, seed_name: seed})
            answers = dict(zip(written["outputs"], answers))
            if target is None:
                target = json.loads(rival10("models", "inspect", model, "--json", cwd=tmp_path))["target"]
            picture.tofile(tmp_path / "in.f32")
            seed.tofile(tmp_path / "seed.f32")
            command = [example("logits"), model, PLAIN, tmp_path / "out", "--seed", tmp_path / "seed.f32"]
            command += ["--gradient", target]
            if target != "input":
                command += ["--tap", target]
            done = subprocess.run([*command, tmp_path / "in.f32"], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            summary = json.loads(done.stdout)
            read = lambda name, shape: np.fromfile(tmp_path / f"out.{name}.f32", "<f4").reshape(shape)
            ours = read("gradient0", summary["gradients"][0])
            theirs = answers["gradients"]
            assert np.abs(theirs).max() > 0
            assert np.abs(answers["logits"] - read("logits", summary["logits"])).max() < 1e-3
            if target != "input":
                taps = read("tap0", summary["taps"][0])
                assert np.abs(answers["activations"] - taps).max() < 1e-3 * np.abs(taps).max()
            found[target] = np.abs(ours - theirs).max() / np.abs(theirs).max()
            print(f"{pathlib.Path(model).name}: {target} {found[target]:.1e} ({written['backward_nodes']} nodes)")
        return found

    return run


@pytest.mark.parametrize("network", ["cnn", "vit"])
def test_the_networks_of_the_repository_have_the_gradients_of_the_engine(network, compared):
    for target, error in compared(ROOT / "fixtures" / "models" / f"{network}.onnx").items():
        assert error < 1e-5, target


@pytest.mark.parametrize("name", [
    "mobilenet_v1_0.25_128.onnx", "mobilenet_v2_1.0_224.onnx", "efficientnet_lite0.onnx", "squeezenet_v1.1.onnx",
    "cifar10_resnet20.onnx",
])
def test_real_models_have_the_gradients_of_the_engine(name, real_data, compared):
    for target, error in compared(real_data / "models" / name, (None,)).items():
        assert error < 1e-5, target


def small(path, nodes, weights, size=(11, 9)):
    """A model of `nodes` from `images` to `maps`, and a linear head on all of `maps`."""
    height, width = size
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, height, width])
    graph = helper.make_graph(nodes, "net", [images], [helper.make_tensor_value_info("maps", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(array, name) for name, array in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    zeros = np.zeros((1, 3, height, width), np.float32)
    maps = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"images": zeros})[0]
    rng = np.random.default_rng(1)
    head = rng.normal(0, 1, (maps.size, 4)).astype(np.float32)
    graph.initializer.append(numpy_helper.from_array(head, "head"))
    graph.node.append(helper.make_node("Flatten", ["maps"], ["flat"]))
    graph.node.append(helper.make_node("MatMul", ["flat", "head"], ["scores"]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 4]))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


def draw(*shape):
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype(np.float32)


ONE = {
    "overlapping max pool": (("MaxPool", dict(kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])), []),
    "max pool rounded up": (("MaxPool", dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)), []),
    "dilated max pool": (("MaxPool", dict(kernel_shape=[2, 2], dilations=[2, 3])), []),
    "average pool": (("AveragePool", dict(kernel_shape=[3, 2], strides=[2, 3], pads=[1, 1, 0, 0])), []),
    "average pool with padding": (
        ("AveragePool", dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)), []),
    "global average": (("GlobalAveragePool", {}), []),
    "strided convolution": (("Conv", dict(strides=[2, 3], pads=[0, 1, 2, 0])), [draw(5, 3, 3, 2), draw(5)]),
    "grouped dilated convolution": (("Conv", dict(group=3, dilations=[2, 1], pads=[1, 0, 0, 1])), [draw(6, 1, 2, 3)]),
    "strided grouped convolution": (("Conv", dict(group=3, strides=[2, 2], pads=[1, 1, 1, 1])), [draw(6, 1, 3, 3)]),
    "transposed convolution": (("ConvTranspose", dict(strides=[2, 1], pads=[1, 0, 0, 1])), [draw(3, 4, 3, 2)]),
    "gelu by erf": (("Erf", {}), []),
    "leaky relu": (("LeakyRelu", dict(alpha=0.2)), []),
    "hard swish": (("HardSigmoid", dict(alpha=1 / 6, beta=0.5)), []),
    "sigmoid": (("Sigmoid", {}), []),
    "tanh": (("Tanh", {}), []),
    "softmax": (("Softmax", dict(axis=1)), []),
    "log of softmax": (("LogSoftmax", dict(axis=3)), []),
    "power": (("Pow", {}), [np.array(3.0, np.float32)]),
    "clip": (("Clip", {}), [np.array(-0.5, np.float32), np.array(0.7, np.float32)]),
    "multiplication by a row": (("Mul", {}), [draw(1, 3, 1, 9)]),
    "transposition": (("Transpose", dict(perm=[0, 2, 3, 1])), []),
    "padding": (("Pad", {}), [np.array([0, 1, 0, 2, 0, 0, 3, 0], np.int64)]),
    "slice": (("Slice", {}), [np.array([2, 8]), np.array([9, 0]), np.array([2, 3]), np.array([3, -2])]),
    "gather": (("Gather", dict(axis=2)), [np.array([3, 3, -1, 0])]),
    "mean": (("ReduceMean", dict(axes=[1, 3], keepdims=0)), []),
    "largest": (("ReduceMax", dict(axes=[2], keepdims=1)), []),
    "normalisation": (("InstanceNormalization", {}), [draw(3), draw(3)]),
}


@pytest.mark.parametrize("name", ONE)
def test_every_operators_gradient_is_the_engines(name, compared, tmp_path):
    (operator, attributes), constants = ONE[name]
    names = [f"c{i}" for i in range(len(constants))]
    path = tmp_path / "small.onnx"
    small(path, [helper.make_node(operator, ["images", *names], ["maps"], **attributes)], dict(zip(names, constants)))
    assert compared(path, ("input",))["input"] < 1e-5


def test_what_has_no_gradient_is_refused_by_its_operator(rival10, tmp_path):
    path = tmp_path / "small.onnx"
    small(path, [helper.make_node("CumSum", ["images", "axis"], ["maps"])], {"axis": np.array(2)})
    done = rival10("models", "gradient", path, "--target", "input", "--out", tmp_path / "g.onnx", cwd=tmp_path, check=False)
    assert done.returncode == 1 and "no gradient for the operator" in done.stderr, done.stderr
    assert not (tmp_path / "g.onnx").exists()
