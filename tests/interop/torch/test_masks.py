"""Networks that give masks, against PyTorch: scores resized as `interpolate` does it, and Segment Anything's own predictor.

The Segment Anything here is the published code with small random networks and the published ONNX export of its decoder, so that
shapes, names, the order of points and the way back to the picture are those of the files that people have.
"""

import subprocess

import numpy as np
import pytest
import torch
from PIL import Image
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from segment_anything.predictor import SamPredictor
from segment_anything.utils.onnx import SamOnnxModel

SIDE, WIDTH, PATCH = 128, 16, 8


def photo(width, height):
    """Something with edges and slopes."""
    y, x = np.mgrid[:height, :width]
    picture = np.stack([x * 255 // width, y * 255 // height, (x * y) // 23 % 256], axis=2)
    picture[(x - width // 2) ** 2 + (y - height // 2) ** 2 < (min(width, height) // 4) ** 2] = [220, 160, 30]
    return picture.astype(np.uint8)


def run(example, *arguments):
    done = subprocess.run([example("masks"), *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("size", [(97, 61), (320, 240), (40, 90)])
@pytest.mark.parametrize("scores", ["exclusive", "logits"])
def test_scores_are_brought_back_as_interpolate_does_it(example, tmp_path, size, scores):
    torch.manual_seed(3)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 5, 3, stride=2, padding=1)
    ).eval()
    torch.onnx.export(
        network, torch.zeros(1, 3, 64, 64), tmp_path / "net.onnx", input_names=["x"], output_names=["scores"], dynamo=False
    )
    picture = Image.fromarray(photo(*size))
    picture.save(tmp_path / "picture.png")
    run(example, "segment", tmp_path / "net.onnx", "imagenet", scores, "stretch", tmp_path / "picture.png", tmp_path / "out")
    ours = np.fromfile(tmp_path / "out", np.uint8).reshape(5, size[1], size[0])

    resized = np.asarray(picture.resize((64, 64), Image.BILINEAR), np.float32).transpose(2, 0, 1) / 255
    mean, std = (np.array(v, np.float32)[:, None, None] for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.no_grad():
        low = network(torch.from_numpy((resized - mean) / std)[None])
        full = torch.nn.functional.interpolate(low, size[::-1], mode="bilinear", align_corners=False)[0]
    theirs = torch.stack([full.argmax(0) == c for c in range(5)]) if scores == "exclusive" else full > 0
    assert 0.02 < theirs.float().mean() < 0.98
    # Two runtimes differ in the last bits; only pixels where that decides may differ.
    differ = ours != theirs.numpy()
    top = full.topk(2, 0).values
    close = ((top[0] - top[1]) < 1e-4).expand(5, -1, -1) if scores == "exclusive" else full.abs() < 1e-4
    assert not (differ & ~close.numpy()).any()
    assert differ.mean() < 1e-3


@pytest.fixture(scope="module")
def sam():
    torch.manual_seed(11)
    grid = SIDE // PATCH
    network = Sam(
        image_encoder=ImageEncoderViT(
            img_size=SIDE, patch_size=PATCH, embed_dim=32, depth=2, num_heads=4, out_chans=WIDTH, use_rel_pos=True,
            window_size=5, global_attn_indexes=(1,),
        ),
        prompt_encoder=PromptEncoder(WIDTH, (grid, grid), (SIDE, SIDE), 4),
        mask_decoder=MaskDecoder(
            transformer_dim=WIDTH, transformer=TwoWayTransformer(2, WIDTH, 2, 32), num_multimask_outputs=3,
            iou_head_depth=2, iou_head_hidden_dim=16,
        ),
    )
    # Random weights say little; larger ones draw masks with borders.
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(2.0) if parameter.dim() > 1 else parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


@pytest.fixture(scope="module", params=[True, False], ids=["single", "all"])
def exported(request, sam, tmp_path_factory):
    """Both halves, the encoder as it is, the decoder by the published wrapper; and whether that gives a single mask."""
    single, folder = request.param, tmp_path_factory.mktemp("sam")
    torch.onnx.export(
        sam.image_encoder, torch.zeros(1, 3, SIDE, SIDE), folder / "encoder.onnx", input_names=["x"],
        output_names=["image_embeddings"], opset_version=17, dynamo=False,
    )
    grid = SIDE // PATCH
    inputs = {
        "image_embeddings": torch.randn(1, WIDTH, grid, grid),
        "point_coords": torch.randint(0, SIDE, (1, 5, 2)).float(),
        "point_labels": torch.randint(0, 4, (1, 5)).float(),
        "mask_input": torch.randn(1, 1, 4 * grid, 4 * grid),
        "has_mask_input": torch.tensor([1.0]),
        "orig_im_size": torch.tensor([150.0, 220.0]),
    }
    torch.onnx.export(
        SamOnnxModel(sam, return_single_mask=single), tuple(inputs.values()), folder / "decoder.onnx", opset_version=17,
        input_names=list(inputs), output_names=["masks", "iou_predictions", "low_res_masks"],
        dynamic_axes={"point_coords": {1: "num_points"}, "point_labels": {1: "num_points"}}, dynamo=False,
    )
    return folder, single


PROMPTS = {
    "a point": ["+100,70"],
    "a point that is meant and one that is not": ["+100,70", "-30,20"],
    "a box": ["40,30,160,110"],
    "a box with a point": ["+90,60", "40,30,160,110"],
}


@pytest.mark.parametrize("size", [(220, 150), (90, 130)])
@pytest.mark.parametrize("prompts", PROMPTS.values(), ids=PROMPTS.keys())
def test_a_pair_answers_as_segment_anythings_predictor(example, tmp_path, sam, exported, size, prompts):
    folder, single = exported
    if size[0] < size[1]:
        prompts = [prompt.replace("160,110", "80,120").replace("100,70", "50,70").replace("90,60", "60,60") for prompt in prompts]
    Image.fromarray(photo(*size)).save(tmp_path / "picture.png")
    run(
        example, "prompt", folder / "encoder.onnx", folder / "decoder.onnx", "imagenet", "longest-side",
        tmp_path / "picture.png", tmp_path / "out", *prompts,
    )
    ours = np.fromfile(tmp_path / "out", np.uint8).reshape(size[1], size[0])

    predictor = SamPredictor(sam)
    predictor.set_image(photo(*size))
    points = [[int(n) for n in prompt[1:].split(",")] for prompt in prompts if prompt[0] in "+-"]
    labels = [int(prompt[0] == "+") for prompt in prompts if prompt[0] in "+-"]
    boxes = [np.array([int(n) for n in prompt.split(",")]) for prompt in prompts if prompt[0] not in "+-"]
    # The four masks of the decoder, in the predictor's own way.
    with torch.no_grad():
        at = predictor.transform.apply_coords(np.array(points, np.float64), predictor.original_size) if points else None
        framed = predictor.transform.apply_boxes(boxes[0][None], predictor.original_size) if boxes else None
        sparse, dense = sam.prompt_encoder(
            points=(torch.as_tensor(at[None], dtype=torch.float), torch.tensor([labels])) if points else None,
            boxes=torch.as_tensor(framed, dtype=torch.float) if boxes else None,
            masks=None,
        )
        low, quality = sam.mask_decoder.predict_masks(
            image_embeddings=predictor.get_image_embedding(), image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense,
        )
        full = sam.postprocess_masks(low, predictor.input_size, predictor.original_size)[0]
    if single:
        # The published wrapper prefers the first mask where there is more than one prompt; a box counts for two points.
        count = len(points) + (2 * len(boxes) if boxes else 1)
        weight = torch.tensor([1000.0] + [0.0] * 3)
        best = int((quality[0] + (count - 2.5) * weight).argmax())
    else:
        best = int(quality[0].argmax())
    theirs = (full[best] > 0).numpy()
    differ = ours.astype(bool) != theirs
    print(f"{prompts} {size}: mask {best}, {theirs.mean():.3f} of the picture, {differ.sum()} pixels differ")
    assert 0.0 < theirs.mean() < 1.0
    assert not (differ & (full[best].abs().numpy() > 1e-2 * float(full[best].abs().max()))).any()
    assert differ.mean() < 2e-3
