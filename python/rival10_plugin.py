"""External analyses of rival10: `serve(plugin)` speaks the protocol of schema/plugin-protocol.md for any object with

    describe() -> dict                         the description, without `rival10_plugin`
    configure(seed, profile, parameters)       once, before anything is measured; parameters are texts by name
    measure(sample) -> [{column: value}]       the rows of one image, as one model sees it if predictions were asked for

A sample has the request's fields as attributes (image, name, split, class_, attributes, stratum, size, seed, and file, model
and prediction where they were asked for) and, at the size that the description asks for, NumPy arrays of bytes: `picture`
[height, width, 3], `object` and `ignore` [height, width] of 0 and 1 or None, and `masks`, those of the attributes by name.
A number that is not one (NaN) is undefined; infinity is refused. What a method raises is told to rival10 as the reason for a
refusal. Whatever is printed goes to stderr, so that libraries that greet do no harm.
"""

import json
import math
import os
import sys
import types

import numpy as np


class BadParameter(ValueError):
    """Parameter `name` has a value that it can't have."""

    def __init__(self, name, reason):
        super().__init__(reason)
        self.name = name


def number(parameters, name, low, high, kind=float):
    """Parameter `name` as a number of `kind` from `low` to `high`."""
    text = parameters[name]
    try:
        value = kind(text)
    except ValueError:
        raise BadParameter(name, f"{text!r} is no {kind.__name__}") from None
    if not low <= value <= high:
        raise BadParameter(name, f"{value} is not between {low} and {high}")
    return value


def sample_of(request, stdin):
    request["class_"] = request.pop("class")
    sample = types.SimpleNamespace(picture=None, object=None, ignore=None, masks={}, **request)
    for array in request["arrays"]:
        count = math.prod(array["shape"])
        data = stdin.read(count)
        if len(data) < count:
            raise EOFError("rival10 has ended")
        data = np.frombuffer(data, np.uint8).reshape(array["shape"])
        if "attribute" in array:
            sample.masks[array["attribute"]] = data
        else:
            setattr(sample, array["name"], data)
    return sample


def plain(value):
    """What JSON takes for `value`."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and math.isnan(value) else value


def serve(plugin):
    """Answers requests until rival10 closes stdin."""
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    description = plugin.describe()
    columns = [column["name"] for column in description["columns"]]

    def answer(request):
        if request["request"] == "describe":
            return {"rival10_plugin": 1, **description}
        if request["request"] == "configure":
            return plugin.configure(request["seed"], request["profile"], request["parameters"]) or {}
        if request["request"] == "measure":
            rows = plugin.measure(sample)
            return {"rows": [[plain(row[column]) for column in columns] for row in rows]}
        raise ValueError(f"no request {request['request']!r}; is rival10 newer than this program?")

    for line in iter(stdin.readline, b""):
        request = json.loads(line)
        sample = sample_of(request, stdin) if request["request"] == "measure" else None
        try:
            reply = json.dumps({"id": request["id"], **answer(request)}, allow_nan=False)
        except BadParameter as error:
            reply = json.dumps({"id": request["id"], "error": str(error), "parameter": error.name})
        except Exception as error:
            reply = json.dumps({"id": request["id"], "error": f"{type(error).__name__}: {error}"})
        stdout.write(reply.encode() + b"\n")
        stdout.flush()
