"""What maps are compared with: pytorch-grad-cam's classes by our methods' names, and preprocessing that changes nothing."""

import json

import pytorch_grad_cam

CAMS = {
    "grad_cam": pytorch_grad_cam.GradCAM,
    "grad_cam_pp": pytorch_grad_cam.GradCAMPlusPlus,
    "hires_cam": pytorch_grad_cam.HiResCAM,
    "layer_cam": pytorch_grad_cam.LayerCAM,
    "xgrad_cam": pytorch_grad_cam.XGradCAM,
}
PLAIN = json.dumps({"scale": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3, "framing": {"whole": {"filter": "bilinear"}}})
