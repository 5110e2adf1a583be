"""Writes checkpoints with the original programs themselves, formula weights in them, has gansim read them through its
ordinary commands, and compares what gansim's networks give with those programs' outputs.

    python files.py --gansim ../../bin/gansim --backend go        # about three minutes

Files: state dicts by torch.save in both layouts, an adversarial-training checkpoint as MadryLab's robustness writes it,
pytorch-pretrained-biggan's pytorch_model.bin, a whole module as ultralytics saves it (half precision), and safetensors.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file

import formula
import nets


def state_dict(model, path):
    torch.save(model.state_dict(), path)


def legacy(model, path):
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)


def safetensors(model, path):
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)


def robustness(model, path):
    """The network twice, its normaliser twice, and the optimiser's leavings."""
    names = {"module.normalizer.new_mean": torch.zeros(3, 1, 1), "module.normalizer.new_std": torch.ones(3, 1, 1)}
    for k, v in model.state_dict().items():
        names["module.model." + k] = v
        names["module.attacker.model." + k] = v
    torch.save({"model": names, "epoch": 104, "schedule": None, "optimizer": {"state": {}, "param_groups": []}}, path)


def ultralytics(model, path):
    from copy import deepcopy
    half = deepcopy(model).half()
    torch.save({"epoch": -1, "model": half, "ema": None, "optimizer": None, "train_args": {"imgsz": 640}, "date": "2026"}, path)


def codes(n, d):
    return formula.gauss4("files/codes", (n, d)).astype(np.float32)


def images(n, size):
    return np.ascontiguousarray(formula.image_f32("files/images", n, size, size), np.float32)


def imagenet(model):
    return lambda x: model(nets.imagenet_pre(x, 227))


def yolo(model):
    """Distances' logits beside classes' logits, by cell."""
    def run(x):
        _, raw = model(x)
        return torch.cat([raw["boxes"], raw["scores"]], 1)
    return run


def cases():
    rgb = lambda x: images(2, 256)
    yield "alexnet", "alexnet", "alexnet.pth", state_dict, imagenet, rgb
    yield "resnet50", "resnet50", "resnet50_legacy.pth", legacy, imagenet, rgb
    yield "resnet50_linf8", "resnet50", "imagenet_linf_8.pt", robustness, imagenet, rgb
    yield "deepsim_fc6", "deepsim_fc6", "upconvGAN_fc6.pt", state_dict, lambda m: lambda z: m.image(m(z)), lambda m: codes(2, 4096)
    yield ("deepsim_norm1", "deepsim_norm1", "norm1.safetensors", safetensors,
           lambda m: lambda z: m.image(m(z.reshape(-1, 96, 27, 27))), lambda m: codes(2, 96 * 27 * 27))
    yield ("biggan_deep_128", "biggan_deep_128", "pytorch_model.bin", state_dict,
           lambda m: lambda z: ((m.generator(z, 0.7) + 1) / 2).clamp(0, 1), lambda m: codes(2, 256) * np.float32(.5))
    yield "yolov8n", "yolov8n", "yolov8n.pt", ultralytics, yolo, rgb
    yield "fid_inception", "fid_inception", "pt_inception.pth", state_dict, None, rgb


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--gansim", required=True)
    ap.add_argument("--backend", default="auto")
    ap.add_argument("--only", default="")
    a = ap.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as d:
        for name, net, file, write, wrap, make in cases():
            if a.only and name not in a.only.split(","):
                continue
            model = nets.formula_model(net).float().eval()
            path = os.path.join(d, file)
            write(model, path)
            x = make(model)
            if write is ultralytics:  # what is in the file is rounded to half precision
                model = model.half().float()
            with torch.no_grad():
                if net == "fid_inception":
                    features = nets.fid_wrapper(model)(torch.from_numpy(x))[-1].flatten(1)
                    want, layer = features.numpy(), ["--layer", "avgpool"]
                else:
                    want, layer = wrap(model)(torch.from_numpy(x)).numpy(), []
            np.save(os.path.join(d, "x.npy"), x)
            out = os.path.join(d, "y.safetensors")
            r = subprocess.run([a.gansim, "run", name, "--weights", name + "=" + path, "--backend", a.backend,
                                "--input", os.path.join(d, "x.npy"), "--to", out] + layer, capture_output=True, text=True)
            if r.returncode:
                print("%-16s %-22s FAIL: %s" % (name, file, r.stderr.strip()))
                failed += 1
                continue
            got = load_file(out)["output"]
            rel = np.linalg.norm(got.astype(np.float64).ravel() - want.ravel()) / np.linalg.norm(want.astype(np.float64))
            ok = got.shape == want.shape and rel <= 5e-5
            failed += not ok
            print("%-16s %-22s %7.1f MB  %s  rel_l2 %.2g  %s" % (name, file, os.path.getsize(path) / 1e6, want.shape, rel,
                                                              "ok" if ok else "FAIL"), flush=True)
    print("%d failed" % failed)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
