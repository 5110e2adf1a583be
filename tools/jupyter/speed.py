"""How long warm cells take: speed.py [KERNEL [CELLS]], by default gansim-xla-cpu and 50.

Prints the time of the first cell, and of the later ones from sending to the picture and to the end. The aims,
on two cores that do nothing else: 5 s, 1.5 s and the model's own time + 0.7 s.
"""

import statistics
import sys
import time

from jupyter_client.manager import start_new_kernel

IMPORT = 'import "gansim.example/gansim/lab"\n'


def run(kc, code):
    """Gives the seconds to the first picture, if any, and to the end of a cell."""
    begin = time.monotonic()
    id, picture = kc.execute(code), None
    while True:
        m = kc.get_iopub_msg(timeout=300)
        if m["parent_header"].get("msg_id") != id:
            continue
        if "image/png" in m["content"].get("data", {}):
            picture = picture or time.monotonic() - begin
        if m["msg_type"] == "error":
            raise RuntimeError(m["content"]["evalue"])
        if m["content"].get("execution_state") == "idle":
            return picture, time.monotonic() - begin


def describe(name, seconds):
    s = sorted(seconds)
    print(f"{name}: median {statistics.median(s):.2f} s, smallest {s[0]:.2f}, "
          f"ninth tenth {s[len(s) * 9 // 10]:.2f}, largest {s[-1]:.2f}", flush=True)


def main(kernel="gansim-xla-cpu", cells=50):
    km, kc = start_new_kernel(kernel_name=kernel)
    try:
        first = run(kc, IMPORT + 'lab.Show(lab.Sample("BigGAN"))')[1]
        print(f"first cell: {first:.2f} s", flush=True)
        times = [run(kc, f'lab.Show(lab.Sample("BigGAN", lab.N(8), lab.Seed({i})))') for i in range(int(cells))]
        describe("to the picture", [t[0] for t in times])
        describe("to the end", [t[1] for t in times])
        describe("a cell without a model", [run(kc, f"fmt.Println({i})")[1] for i in range(5)])
    finally:
        kc.stop_channels()
        km.shutdown_kernel()


if __name__ == "__main__":
    main(*sys.argv[1:])
