"""Compares gansim fid with the programs that it follows: pytorch-fid, torch-fidelity, clean-fid, and the paper's way with
torchvision. All read two folders of images, through the FID Inception with formula weights in it, which gansim loads as a
checkpoint. The images are read as they are, and once more as PNG copies.

    python fid.py --gansim ../../bin/gansim --backend go FOLDER_A FOLDER_B
    python fid.py --gansim ../../bin/gansim --backend go --split 24 FOLDER     # its first 24 images, in two halves

Relative differences of at most 1e-4 are asked for on PNG, and 1e-3 on other files, whose decoders may differ by a level.
pytorch-fid and clean-fid take the matrix square root by scipy.linalg.sqrtm, whose noise for fewer images than features is
larger than that (see metrics.py); their features are therefore also put through float64 singular values ("exact"), and
that is the number compared. What the programs print themselves stands beside it.
"""
import argparse
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image

import metrics
import nets

TOLERANCES = {"png": 1e-4, "as it is": 1e-3}


def tolerant_sqrtm(module):
    """Newer SciPy has dropped an argument of sqrtm that both programs give."""
    import scipy.linalg as sl
    if "disp" not in sl.sqrtm.__code__.co_varnames:
        module.linalg = type("L", (), {"sqrtm": staticmethod(lambda m, disp=True: sl.sqrtm(m) if disp else (sl.sqrtm(m), 0.0))})


def own(distance, a, b):
    """What the program prints, from features."""
    stats = [(x.mean(0), np.cov(x, rowvar=False)) for x in (a, b)]
    try:
        return float(distance(stats[0][0], stats[0][1], stats[1][0], stats[1][1]))
    except ValueError as e:
        return "%s" % str(e)[:40]


def pytorch_fid(inc, _, folders):
    import pytorch_fid.fid_score as fs
    import pytorch_fid.inception as pfi
    tolerant_sqrtm(fs)
    orig = pfi.fid_inception_v3
    pfi.fid_inception_v3 = lambda: inc
    try:
        model = pfi.InceptionV3([pfi.InceptionV3.BLOCK_INDEX_BY_DIM[2048]]).eval()
    finally:
        pfi.fid_inception_v3 = orig
    found = []
    for d in folders:
        files = [os.path.join(d, f) for f in images(d)]
        found.append(fs.get_activations(files, model, batch_size=1, dims=2048, device="cpu", num_workers=0))
    return found, own(fs.calculate_frechet_distance, *found)


def torch_fidelity(inc, path, folders):
    import torch_fidelity as tf
    from torch_fidelity.utils import create_feature_extractor, get_cacheable_input_name, extract_featuresdict_from_input_id_cached
    kw = dict(input1=folders[0], input2=folders[1], fid=True, feature_extractor="inception-v3-compat", cuda=False, batch_size=1,
              feature_extractor_weights_path=path, cache=False, verbose=False, save_cpu_ram=True)
    printed = tf.calculate_metrics(**kw)["frechet_inception_distance"]
    ex = create_feature_extractor("inception-v3-compat", ["2048"], cuda=False, feature_extractor_weights_path=path, verbose=False)
    found = [extract_featuresdict_from_input_id_cached(i, ex, **kw)["2048"].numpy() for i in (1, 2)]
    return found, float(printed)


def clean_fid(inc, _, folders):
    from cleanfid import fid
    tolerant_sqrtm(fid)
    wrapped = nets.fid_wrapper(inc)

    def model(x):                         # InceptionV3W of clean-fid: (x - 128)/128, without a resize
        wrapped.resize_input = wrapped.normalize_input = False
        with torch.no_grad():
            return wrapped((x - 128) / 128)[-1].flatten(1)
    found = [fid.get_folder_features(d, model=model, num_workers=0, batch_size=1, device=torch.device("cpu"), mode="clean",
                                     verbose=False) for d in folders]
    return found, own(fid.frechet_distance, *found)


def paper(inc, _, folders):
    from torchvision import transforms
    prepare = transforms.Compose([transforms.Resize(299), transforms.ToTensor(), transforms.CenterCrop(299)])
    wrapped = nets.fid_wrapper(inc)
    found = []
    for d in folders:
        rows = []
        for f in images(d):
            x = prepare(Image.open(os.path.join(d, f)).convert("RGB"))
            with torch.no_grad():
                rows.append(wrapped(x[None])[-1].flatten().numpy())
        found.append(np.stack(rows))
    return found, ""


PROGRAMS = {"paper": paper, "pytorch-fid": pytorch_fid, "torch-fidelity": torch_fidelity, "clean": clean_fid}


def ours(a, weights, convention, folders):
    r = subprocess.run([a.gansim, "fid", *folders, "--convention", convention, "--weights", "fid_inception=" + weights, "--net",
                        "fid_inception", "--backend", a.backend, "--no-cache", "--strict", "--json"], capture_output=True, text=True)
    if r.returncode:
        raise SystemExit(r.stderr)
    return json.loads(r.stdout)["pairs"][0]["fid"]


def images(folder):
    return sorted(f for f in os.listdir(folder) if f.lower().endswith((".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")))


def halves(folder, n, scratch):
    """The first n images of a folder, every second one in each of two folders."""
    out = [os.path.join(scratch, "half_%d" % i) for i in (0, 1)]
    for d in out:
        os.makedirs(d)
    for i, f in enumerate(images(folder)[:n]):
        shutil.copy(os.path.join(folder, f), out[i % 2])
    return out


def as_png(folder, scratch):
    out = tempfile.mkdtemp(dir=scratch)
    for f in images(folder):
        Image.open(os.path.join(folder, f)).convert("RGB").save(os.path.join(out, os.path.splitext(f)[0] + ".png"))
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folders", nargs="+")
    ap.add_argument("--gansim", required=True)
    ap.add_argument("--backend", default="auto")
    ap.add_argument("--split", type=int, default=0, help="images of one folder to compare in two halves")
    ap.add_argument("--only", default="", help="conventions, separated by commas")
    a = ap.parse_args()
    if len(a.folders) != (1 if a.split else 2):
        ap.error("give two folders, or one and --split")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        inc = nets.formula_model("fid_inception").float().eval()
        weights = os.path.join(scratch, "pt_inception.pth")
        torch.save(inc.state_dict(), weights)
        given = halves(a.folders[0], a.split, scratch) if a.split else a.folders
        n = [len(images(d)) for d in given]
        print("%d and %d images, formula weights" % tuple(n))
        print("%-15s %-9s %-16s %-16s %-16s %s" % ("convention", "files", "its own number", "exact", "gansim", "relative"))
        for kind, folders in (("png", [as_png(d, scratch) for d in given]), ("as it is", given)):
            for name, run in PROGRAMS.items():
                if a.only and name not in a.only.split(","):
                    continue
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    found, printed = run(inc, weights, folders)
                want = metrics.fid_exact(*found)["fid"]
                got = ours(a, weights, name, folders)
                off = abs(got - want) / want
                failed += not off <= TOLERANCES[kind]
                print("%-15s %-9s %-16s %-16.10g %-16.10g %.2g %s" % (
                    name, kind, "%.10g" % printed if isinstance(printed, float) else printed, want, got, off,
                    "ok" if off <= TOLERANCES[kind] else "FAIL"), flush=True)
    print("%d failed" % failed)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
