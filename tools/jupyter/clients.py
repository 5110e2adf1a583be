"""The kernel gansim-go with the programs that run notebooks: nbconvert, papermill and Jupyter's console.

Needs GANSIM_HOME with the tools, and the kernel installed in this Python environment.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import nbformat
import pexpect

BIN = pathlib.Path(sys.executable).parent
PATIENCE = 120  # seconds on a busy machine
PARAMETER = 'import "gansim.example/gansim/lab"\n\nfmt.Println("got", lab.Parameter("COLOUR", "none"))'


def call(*command, **env):
    return subprocess.run([BIN / command[0], *command[1:]], env={**os.environ, **env}, text=True,
                          timeout=PATIENCE, capture_output=True)


class Clients(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def book(self, *cells):
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(c) for c in cells],
            metadata={"kernelspec": {"name": "gansim-go", "display_name": "gansim (Go)", "language": "go"}})
        path = self.folder / "book.ipynb"
        nbformat.write(notebook, path)
        return path

    def printed(self, path):
        return nbformat.read(path, 4).cells[0].outputs[0].text

    def test_nbconvert(self):
        self.book(PARAMETER)
        done = call("jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "out",
                    str(self.folder / "book.ipynb"), COLOUR="green")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("got green\n", self.printed(self.folder / "out.ipynb"))

    def test_nbconvert_fails(self):
        path = self.book('panic("boom")')
        done = call("jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "out", str(path))
        self.assertNotEqual(0, done.returncode)
        self.assertIn("boom", done.stderr)

    def test_papermill(self):
        path = self.book(PARAMETER)
        done = call("papermill", str(path), str(self.folder / "out.ipynb"), COLOUR="blue")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("got blue\n", self.printed(self.folder / "out.ipynb"))

    def test_console(self):
        console = pexpect.spawn(str(BIN / "jupyter"), ["console", "--kernel", "gansim-go", "--simple-prompt"],
                                timeout=PATIENCE, encoding="utf-8")
        self.addCleanup(console.close, force=True)
        console.expect(r"In \[1\]: ")
        console.sendline("6*7")
        console.expect(r"Out\[1\]: 42")
        console.expect(r"In \[2\]: ")


if __name__ == "__main__":
    unittest.main()
