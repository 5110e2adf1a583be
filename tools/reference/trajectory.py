"""A long evolution as in panel D: DeePSim fc6 into a unit of ResNet-50's layer3, in its receptive field, Adam01Hess, in float64.
    PYTHONHASHSEED=0 python trajectory.py --out ../../gansim/testdata/trajectory              100 steps: about 6 minutes on two cores
    PYTHONHASHSEED=0 python trajectory.py --out DIR --salt 'word:' --profile heldout --steps 20
The basis is a product of few reflections, since 4096 of them take longer than the evolution."""
import argparse
import os

import numpy as np
import torch

import evolve
import formula
import nets
import oracle

REFLECTIONS = 64
RULE = ("Q = H_0 H_1 ... H_(k-1) in float64, k reflections, H_j = I - 2 v_j v_j^T / (v_j . v_j), v_j = row j of gauss4('%s', k x D). "
        "w starts as z Q, z = w Q^T inside the graph; the optimiser sees w. No scaling by eigenvalues.")


def reflections(name, k, d):
    v, q = formula.gauss4(name, (k, d)), np.eye(d)
    for row in v:
        q -= np.outer(q @ row, row * (2.0 / (row @ row)))
    return q


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--out", required=True)
    a.add_argument("--salt", default="")
    a.add_argument("--profile", default="dev", choices=sorted(evolve.PROFILES))
    a.add_argument("--steps", type=int, default=100)
    a = a.parse_args()
    os.makedirs(a.out, exist_ok=True)
    formula.set_salt(a.salt)
    box = evolve.PROFILES[a.profile]["box"]
    marks = sorted({k for k in (1, 2, 5, 10, 20, 50, 100) if k <= a.steps} | {a.steps})
    g, net = oracle.get("deepsim_fc6", a.out), oracle.get("resnet50", a.out)
    g.double(), net.double()
    z0 = oracle.latent("z/trajectory", (1, 4096))
    q = reflections("basis/trajectory", REFLECTIONS, 4096)
    unit, seen = {}, {}

    def score(x):
        h = net.layer3.register_forward_hook(lambda _m, _i, o: seen.update(a=o))
        net(nets.imagenet_pre(x[1], 227))
        h.remove()
        y = seen["a"]
        r, c = y.shape[2] // 2, y.shape[3] // 2
        if not unit:
            unit.update(layer3=[evolve.top_unit(y[:, :, r, c]), r, c])
        return y[:, unit["layer3"][0], r, c]

    def render(z):
        im = g.image(g(z))
        return {0: ("image", im), 1: ("placed", evolve.place(im, box))}

    r = evolve.ascend(torch.float64, z0[0], "Adam01Hess", a.steps, marks, render, score, q, rectified=True)
    pairs = [(k, r[k], r[k].astype(np.float32)) for k in sorted(r, key=lambda k: (k != "scores", k))
             if k == "scores" or k.startswith("code[")]
    evolve.store(a.out, "trajectory_fc6_resnet50_layer3_rf_Adam01Hess", ["deepsim_fc6", "resnet50"], {"latent": z0}, pairs,
                 "As actmax_fc6_resnet50_layer3_rf_Adam01, but longer and in rotated coordinates; the f32 figures say nothing. " + evolve.NOTE,
                 units=unit, keep=1024, placement={"canvas": 227, "grey": 0.5, "row0": box[0], "col0": box[1], "height": box[2], "width": box[3]},
                 basis={"gauss4": "basis/trajectory", "d": 4096, "reflections": REFLECTIONS, "rule": RULE % "basis/trajectory"},
                 **evolve.meta("Adam01Hess", a.steps, marks))


if __name__ == "__main__":
    main()
