"""Runs notebooks from top to bottom with a kernel: KERNEL NOTEBOOK... The files stay as they are."""
import pathlib
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

kernel, books = sys.argv[1], [pathlib.Path(b) for b in sys.argv[2:]]
failed = 0
for book in books:
    notebook = nbformat.read(book, as_version=4)
    begin = time.monotonic()
    client = NotebookClient(notebook, kernel_name=kernel, timeout=600, resources={"metadata": {"path": str(book.parent)}})
    at = {"cell": 0}
    client.on_cell_start = lambda cell, cell_index: at.update(cell=cell_index + 1)
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as e:
        failed += 1
        print(f"{book.name}: cell {at['cell']} failed: {e}", flush=True)
        continue
    pictures = sum("image/png" in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", []))
    scripts = sum(k in o.get("data", {}) for c in notebook.cells for o in c.get("outputs", [])
                  for k in ("text/html", "application/javascript"))
    if scripts:
        failed += 1
        print(f"{book.name}: {scripts} outputs of HTML or JavaScript, which a saved file does not show", flush=True)
    print(f"{book.name}: ok, {sum(c.cell_type == 'code' for c in notebook.cells)} cells, {pictures} pictures, "
          f"{time.monotonic() - begin:.0f} s", flush=True)
sys.exit(failed > 0)
