"""A second, independent reading of ONNX files: every operator by PyTorch's own functions, so that autograd can differentiate
it. It knows the operators of the shared models and of the fixtures, and refuses others by name."""

import numpy as np
import torch
from onnx import helper, numpy_helper

functional = torch.nn.functional
# Kinds of numbers as ONNX counts them.
TYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 11: torch.float64}


def halves(pads):
    """ONNX's begins and ends as PyTorch's pad wants them: last axis first."""
    rank = len(pads) // 2
    return [pad for axis in reversed(range(rank)) for pad in (pads[axis], pads[axis + rank])]


def tensor(proto):
    return torch.from_numpy(np.array(numpy_helper.to_array(proto)))


def sliced(x, starts, ends, axes=None, steps=None):
    axes = list(range(len(starts))) if axes is None else axes.tolist()
    steps = [1] * len(axes) if steps is None else steps.tolist()
    for axis, start, end, step in zip(axes, starts.tolist(), ends.tolist(), steps):
        index = [slice(None)] * x.dim()
        index[axis] = slice(start, min(end, x.shape[axis]), step)
        x = x[tuple(index)]
    return x


def gathered(x, indices, axis=0):
    shape = list(x.shape)
    shape[axis:axis + 1] = list(indices.shape)
    return x.index_select(axis, indices.reshape(-1)).reshape(shape)


def reshaped(x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())])


def convolved(x, weight, bias, a):
    x = functional.pad(x, halves(a.get("pads", [0] * 4)))
    return functional.conv2d(x, weight, bias, stride=a.get("strides", 1), dilation=a.get("dilations", 1),
                             groups=a.get("group", 1))


def pooled(x, a):
    padded = functional.pad(x, halves(a.get("pads", [0] * 4)), value=float("-inf"))
    return functional.max_pool2d(padded, a["kernel_shape"], a["strides"], ceil_mode=bool(a.get("ceil_mode", 0)))


def normalised(x, scale, bias, a):
    assert a.get("axis", -1) in (-1, x.dim() - 1)
    return functional.layer_norm(x, x.shape[-1:], scale, bias, a.get("epsilon", 1e-5))


def squeezed(x, axes=None):
    return x.squeeze() if axes is None else x.squeeze(tuple(axes.tolist()))


def unsqueezed(x, axes):
    for axis in sorted(axes.tolist()):
        x = x.unsqueeze(axis)
    return x


def split(x, sizes, a):
    return torch.split(x, sizes.tolist(), a.get("axis", 0))


# operator -> function of its inputs and its attributes
OPERATORS = {
    "Add": lambda x, a: x[0] + x[1],
    "Cast": lambda x, a: x[0].to(TYPES[a["to"]]),
    "Clip": lambda x, a: x[0].clamp(float(x[1]), float(x[2])),
    "Concat": lambda x, a: torch.cat(x, a["axis"]),
    "Constant": lambda x, a: tensor(a["value"]),
    "ConstantOfShape": lambda x, a: torch.full(x[0].tolist(), tensor(a["value"]).item(), dtype=tensor(a["value"]).dtype),
    "Conv": lambda x, a: convolved(x[0], x[1], x[2] if len(x) > 2 else None, a),
    "Div": lambda x, a: x[0] / x[1],
    "Equal": lambda x, a: x[0] == x[1],
    "Erf": lambda x, a: torch.erf(x[0]),
    "Expand": lambda x, a: x[0].expand(torch.broadcast_shapes(x[0].shape, tuple(x[1].tolist()))),
    "Flatten": lambda x, a: x[0].flatten(1),
    "Gather": lambda x, a: gathered(*x, a.get("axis", 0)),
    "Gemm": lambda x, a: x[0] @ (x[1].T if a.get("transB") else x[1]) + x[2],
    "GlobalAveragePool": lambda x, a: x[0].mean((2, 3), keepdim=True),
    "LayerNormalization": lambda x, a: normalised(*x, a),
    "MatMul": lambda x, a: x[0] @ x[1],
    "MaxPool": lambda x, a: pooled(x[0], a),
    "Mul": lambda x, a: x[0] * x[1],
    "Pad": lambda x, a: functional.pad(x[0], halves(x[1].tolist())),
    "Pow": lambda x, a: x[0] ** x[1],
    "Relu": lambda x, a: x[0].relu(),
    "Reshape": lambda x, a: reshaped(*x),
    "Shape": lambda x, a: torch.tensor(x[0].shape),
    "Slice": lambda x, a: sliced(*x),
    "Softmax": lambda x, a: x[0].softmax(a.get("axis", -1)),
    "Split": lambda x, a: split(*x, a),
    "Squeeze": lambda x, a: squeezed(*x),
    "Sub": lambda x, a: x[0] - x[1],
    "Transpose": lambda x, a: x[0].permute(a["perm"]),
    "Unsqueeze": lambda x, a: unsqueezed(*x),
    "Where": lambda x, a: torch.where(*x),
}


class Watched(torch.nn.Module):
    """A value on its way, for hooks to see."""

    def forward(self, value):
        return value if value.requires_grad else value.detach().requires_grad_()


class Network(torch.nn.Module):
    """An ONNX file as a module that gives its logits; `watched` is the module that the value called `layer` passes."""

    def __init__(self, model, layer):
        super().__init__()
        self.model, self.layer, self.watched = model, layer, Watched()
        # By a parameter libraries tell where a module lies.
        self.nothing = torch.nn.Parameter(torch.zeros(()))

    def forward(self, pictures):
        return interpret(self.model, pictures, {self.layer: self.watched})["logits"]


def interpret(model, picture, through={}):
    """Every value of an ONNX model, in the precision of `picture`, with autograd's graph. A value named in `through` is
    what that function makes of it."""
    exact = lambda value: value.to(picture.dtype) if value.is_floating_point() else value
    values = {initializer.name: exact(tensor(initializer)) for initializer in model.graph.initializer}
    values[model.graph.input[0].name] = picture
    for node in model.graph.node:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        inputs = [values[name] for name in node.input]
        outcome = OPERATORS[node.op_type](inputs, attributes)
        outcome = outcome if isinstance(outcome, tuple) else (outcome,)
        for name, value in zip(node.output, map(exact, outcome)):
            values[name] = through[name](value) if name in through else value
    return values
