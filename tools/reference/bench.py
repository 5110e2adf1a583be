"""Times networks in PyTorch, as gansim bench does: random weights, forward and the gradient of the sum of squared
outputs at the input, the smallest of several calls.

    python bench.py                                          # the networks that gansim bench times by default
    python bench.py --net deepsim_fc6,resnet50 --batch 8 -n 9 --threads 2
    python bench.py --gansim ../../bin/gansim --backend xla:cpu      # both in turn, with the ratio of their times
    python bench.py --net deepsim_fc6+resnet50 --device cuda --tf32 --gansim ../../bin/gansim --backend xla:cuda,tf32=true

With --gansim each network is timed by one program and then by the other, three rounds, and the smallest times are
compared, so that both meet the same load. Images and maps are channels last, which is faster here.
"""
import argparse
import json
import subprocess
import time

import torch

import nets

DEFAULT = "deepsim_fc6,biggan_deep_256,alexnet,resnet50,fid_inception,yolov8n"
# height and width of a network's images; codes where None
SIZES = {"alexnet": 227, "caffenet": 227, "resnet50": 227, "inception_v3": 299, "fid_inception": 299}


def job(net, batch, device):
    """A network as a function of its input, and an input; GENERATOR+CLASSIFIER is a step of panel D."""
    if "+" in net:
        generator, scorer = net.split("+")
        images, x = job(generator, batch, device)
        logits, _ = job(scorer, 1, device)
        return lambda z: logits(nets.imagenet_pre(images(z), SIZES[scorer])), x
    model = nets.build(net).eval()
    for p in model.parameters():
        p.requires_grad_(False)
    if net == "fid_inception":
        model = nets.fid_wrapper(model)
    model = model.to(device, memory_format=torch.channels_last)
    if net.startswith("deepsim"):
        run, x = lambda z: model.image(model(z)), torch.randn(batch, *nets.DEEPSIM_LATENT[net])
    elif net.startswith("biggan"):
        run, x = lambda z: ((model.generator(z, 0.7) + 1) / 2).clamp(0, 1), torch.randn(batch, 256)
    else:
        size = SIZES.get(net, 640 if net.startswith("yolo") else 64)
        x = torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
        run = lambda x: first(model(x))
    return run, x.to(device)


def first(y):
    """The tensor itself, of what the model returns: the last feature of Inception, the prediction of a detector."""
    while isinstance(y, (tuple, list)):
        y = y[-1] if len(y) == 4 else y[0]
    return y


def clock(run, x, calls, gradient):
    best = float("inf")
    for k in range(calls + 1):
        begin = time.perf_counter()
        if gradient:
            z = x.detach().clone(memory_format=torch.preserve_format).requires_grad_(True)
            y = run(z)
            y.square().sum().backward()
        else:
            with torch.no_grad():
                run(x)
        if x.is_cuda:
            torch.cuda.synchronize()
        if k:
            best = min(best, time.perf_counter() - begin)
    return best


def ours(program, backend, net, batch, calls):
    out = subprocess.run([program, "bench", "--json", "--backend", backend, "--net", net, "--batch", str(batch),
                          "-n", str(calls)], check=True, capture_output=True, text=True).stdout
    return {t["gradient"]: t["best_s"] for t in json.loads(out)["timings"]}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--net", default=DEFAULT)
    ap.add_argument("--batch", type=int, default=4)
    ap.add_argument("-n", type=int, default=9)
    ap.add_argument("--threads", type=int, default=torch.get_num_threads())
    ap.add_argument("--device", default="cpu", help="cpu or cuda")
    ap.add_argument("--tf32", action="store_true", help="TF32 in products and convolutions; gansim's is chosen by --backend")
    ap.add_argument("--gansim")
    ap.add_argument("--backend", default="auto")
    ap.add_argument("--rounds", type=int, default=3)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = a.tf32
    torch.backends.cudnn.benchmark = True
    print("PyTorch %s, %s" % (torch.__version__, torch.cuda.get_device_name() + (", TF32" if a.tf32 else ", FP32")
                              if a.device == "cuda" else "%d threads" % a.threads))
    for net in a.net.split(","):
        run, x = job(net, a.batch, a.device)
        theirs, mine = {}, {}
        for _ in range(a.rounds if a.gansim else 1):
            for gradient in (False, True):
                t = clock(run, x, a.n, gradient)
                theirs[gradient] = min(t, theirs.get(gradient, t))
            if a.gansim:
                for gradient, t in ours(a.gansim, a.backend, net, a.batch, a.n).items():
                    mine[gradient] = min(t, mine.get(gradient, t))
        for gradient, t in theirs.items():
            line = "%-16s %-8s batch %d  PyTorch %.4f s" % (net, "gradient" if gradient else "forward", a.batch, t)
            if gradient in mine:
                line += "  gansim %.4f s  ratio %.2f" % (mine[gradient], mine[gradient] / t)
            print(line, flush=True)


if __name__ == "__main__":
    main()
