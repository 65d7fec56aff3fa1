"""External models of rival10: `serve(model)` speaks the protocol of schema/model-protocol.md for any object with

    describe() -> dict          the description, without `rival10_model`
    forward(pictures, taps)     -> [logits, *activations]
    gradient(pictures, seed, targets) -> [gradients]      if the description promises gradients
    forward_from(layer, activations)  -> logits           if a layer is an entry

where all arrays are NumPy's, in single precision. What a method raises is told to rival10 as the reason for a refusal, and the
program goes on. Whatever is printed goes to stderr, so that libraries that greet do no harm.
"""

import json
import os
import sys

import numpy as np


def read(stdin, shapes):
    arrays = []
    for shape in shapes:
        count = int(np.prod(shape))
        numbers = stdin.read(4 * count)
        if len(numbers) < 4 * count:
            raise EOFError("rival10 has ended")
        arrays.append(np.frombuffer(numbers, "<f4").reshape(shape))
    return arrays


def answer(model, request, arrays):
    kind = request["request"]
    if kind == "forward":
        return model.forward(arrays[0], request["taps"])
    if kind == "gradient":
        return model.gradient(*arrays, request["targets"])
    if kind == "forward_from":
        return [model.forward_from(request["layer"], arrays[0])]
    raise ValueError(f"no request {kind!r}; is rival10 newer than this program?")


def serve(model):
    """Answers requests until rival10 closes stdin."""
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def reply(header, arrays=()):
        stdout.write(json.dumps(header).encode() + b"\n")
        for array in arrays:
            stdout.write(np.ascontiguousarray(array, "<f4").tobytes())
        stdout.flush()

    for line in iter(stdin.readline, b""):
        request = json.loads(line)
        arrays = read(stdin, request.get("tensors", []))
        try:
            if request["request"] == "describe":
                reply({"rival10_model": 1, **model.describe()})
                continue
            arrays = answer(model, request, arrays)
        except Exception as error:
            reply({"error": f"{type(error).__name__}: {error}"})
            continue
        reply({"tensors": [list(array.shape) for array in arrays]}, arrays)
