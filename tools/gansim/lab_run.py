"""Runs notebooks from top to bottom with a kernel: check|save KERNEL NOTEBOOK...

check leaves the files as they are; save writes each notebook that ran to its end back with its outputs.
"""

import os
import pathlib
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CHECK_SECONDS = 600  # a cell's longest time when checked, at smoke; a panel at class takes longer
REDUNDANT = {"text/html", "image/svg+xml"}  # beside a PNG: neither shows everywhere, and both are large
SCRIPTED = {"text/html", "application/javascript"}  # shown by no code host, and by Jupyter only if trusted


def outputs(notebook):
    return [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]


def run(book, kernel, save):
    """Runs a notebook and gives it back; what goes wrong is raised with the number of the cell."""
    notebook = nbformat.read(book, as_version=4)
    at = 0

    def begin(cell, cell_index):
        nonlocal at
        at = cell_index + 1

    client = NotebookClient(notebook, kernel_name=kernel, timeout=None if save else CHECK_SECONDS,
                            record_timing=False, on_cell_start=begin,
                            resources={"metadata": {"path": str(book.parent)}})
    spec = notebook.metadata.get("kernelspec")
    try:
        client.execute()
        for number, cell in enumerate(notebook.cells, 1):
            at = number
            for o in cell.get("outputs", []):
                data = o.get("data", {})
                if SCRIPTED & data.keys() and "image/png" not in data:
                    raise ValueError("an output has nothing but HTML or JavaScript, which a saved file does not show")
                if "image/png" in data:
                    for kind in REDUNDANT:
                        data.pop(kind, None)
    except (CellExecutionError, CellTimeoutError, DeadKernelError, ValueError) as e:
        why = f"{e.ename}: {e.evalue}" if isinstance(e, CellExecutionError) else str(e).strip()
        source = notebook.cells[at - 1].source.strip().splitlines()
        raise RuntimeError(f"cell {at} ({source[0] if source else 'empty'} …) failed: {why}") from e
    if spec:
        notebook.metadata.kernelspec = spec
    return notebook


def write(book, notebook):
    """Replaces a file at once or not at all."""
    part = book.with_suffix(".ipynb.part")
    with open(part, "w", encoding="utf-8") as f:
        nbformat.write(notebook, f)
        f.flush()
        os.fsync(f.fileno())
    part.replace(book)


def main(mode, kernel, *books):
    failed = 0
    for book in map(pathlib.Path, books):
        begin = time.monotonic()
        try:
            notebook = run(book, kernel, mode == "save")
        except RuntimeError as e:
            failed += 1
            print(f"{book.name}: {e}", flush=True)
            continue
        if mode == "save":
            write(book, notebook)
        pictures = sum("image/png" in o.get("data", {}) for o in outputs(notebook))
        cells = sum(c.cell_type == "code" for c in notebook.cells)
        print(f"{book.name}: ok, {cells} cells, {pictures} pictures, {time.monotonic() - begin:.0f} s", flush=True)
    return failed > 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
