"""What the kernel gansim-go says of cells that go wrong, and what it leaves behind: nothing.

Needs GANSIM_HOME with the tools, and the kernel installed in this Python environment.
"""

import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import psutil
from jupyter_client.manager import KernelManager, start_new_kernel

LATEST = 15  # seconds until nothing may be left
LOOP = "for {\n}"


def folder(km):
    """The kernel's temporary folder."""
    pid = km.provisioner.pid
    found = glob.glob(os.path.join(tempfile.gettempdir(), f"gansim-kernel-{pid}-*"))
    assert len(found) == 1, found
    return found[0]


def users(dir):
    """The processes that know a kernel's folder: GoNB, gopls, the guard, cells."""
    found = []
    for p in psutil.process_iter():
        try:
            if p.status() != psutil.STATUS_ZOMBIE and dir in str(p.environ()) + str(p.cmdline()):
                found.append(p)
        except psutil.Error:
            pass
    return found


def run(kc, code, timeout=60):
    """Runs a cell; gives what was published and the reply."""
    id = kc.execute(code)
    out = []
    while True:
        m = kc.get_iopub_msg(timeout=timeout)
        if m["parent_header"].get("msg_id") != id:
            continue
        if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle":
            break
        out.append(m)
    while True:
        reply = kc.get_shell_msg(timeout=timeout)
        if reply["parent_header"].get("msg_id") == id:
            return out, reply["content"]


class Lifecycle(unittest.TestCase):
    def start(self, **env):
        self.km, self.kc = start_new_kernel(kernel_name="gansim-go", env={**os.environ, **env})
        self.addCleanup(self.stop)
        self.dir = folder(self.km)

    def stop(self):
        self.kc.stop_channels()
        if self.km.is_alive():
            self.km.shutdown_kernel(now=True)
        self.km.cleanup_resources()

    def assert_nothing_left(self):
        end = time.time() + LATEST
        while time.time() < end and (os.path.exists(self.dir) or users(self.dir)):
            time.sleep(0.1)
        self.assertFalse(os.path.exists(self.dir), "the folder is left")
        self.assertEqual([], users(self.dir))

    def next_works(self):
        out, reply = run(self.kc, 'fmt.Println("next")')
        self.assertEqual("ok", reply["status"], reply)
        self.assertIn("next\n", [m["content"].get("text") for m in out])

    def fails(self, code, name, value):
        out, reply = run(self.kc, code)
        errors = [m["content"] for m in out if m["msg_type"] == "error"]
        self.assertEqual(1, len(errors), out)
        for content in errors[0], reply:
            self.assertEqual(name, content["ename"], content)
            self.assertIn(value, content["evalue"])
            self.assertNotIn("\n", content["evalue"])
        self.next_works()

    def loop(self):
        self.kc.execute(LOOP)
        end = time.time() + 30
        while time.time() < end:
            for p in users(self.dir):
                try:
                    if os.path.basename(p.exe()).startswith("gonb_"):
                        return p
                except psutil.Error:
                    pass
            time.sleep(0.05)
        self.fail("the cell did not start")

    def test_failures(self):
        self.start(GANSIM_MEMORY="1GB")
        wrong = 'import "fmt"\nx := 1\nfmt.Println(y)'
        self.fails(wrong, "CompileError", "line 2: declared and not used")
        self.fails('fmt.Println("a")\npanic("boom")', "Panic", "boom (cell [3] line 2)")
        told = 'fmt.Fprintln(os.Stderr, "lab: no such unit")\nos.Exit(1)'
        self.fails(told, "Error", "lab: no such unit")
        self.fails("os.Exit(3)", "Error", "exit status 3")
        hungry = """var all [][]byte
for {
	b := make([]byte, 1<<24)
	for i := range b {
		b[i] = 1
	}
	all = append(all, b)
}"""
        self.fails(hungry, "MemoryLimit", "more than 1 GB of memory")

    def test_interrupt(self):
        self.start()
        self.loop()
        waiting = self.kc.execute('fmt.Println("not run")')
        self.km.interrupt_kernel()
        replies = {}
        while waiting not in replies:
            m = self.kc.get_shell_msg(timeout=10)
            replies[m["parent_header"]["msg_id"]] = m["content"]["status"]
        self.assertEqual(["aborted", "error"], sorted(replies.values()))
        time.sleep(0.2)
        self.next_works()

    def test_shutdown(self):
        self.start()
        self.loop()
        self.kc.stop_channels()
        self.km.shutdown_kernel()
        self.assert_nothing_left()

    def test_restart(self):
        self.start()
        self.loop()
        before = self.dir
        self.km.restart_kernel()
        self.kc.wait_for_ready(timeout=30)
        self.assert_nothing_left()
        self.dir = folder(self.km)
        self.assertNotEqual(before, self.dir)
        self.next_works()

    def kill(self, which):
        self.start()
        self.loop()
        gonb = [p for p in users(self.dir) if os.path.basename(p.exe()) == "gonb"][0]
        guard = gonb.parent()
        launcher = psutil.Process(self.km.provisioner.pid)
        {"kernel": launcher, "gonb": gonb, "guard": guard}[which].kill()
        self.assert_nothing_left()

    def test_kill_kernel(self):
        self.kill("kernel")

    def test_kill_gonb(self):
        self.kill("gonb")

    def test_kill_guard(self):
        self.kill("guard")

    def test_kill_group(self):
        self.start()
        self.loop()
        os.killpg(os.getpgid(self.km.provisioner.pid), signal.SIGKILL)
        self.assert_nothing_left()

    def servers(self):
        """The model servers that this test's kernels started."""
        found = []
        for p in psutil.process_iter():
            try:
                if p.cmdline()[1:2] == ["serve"] and p.environ().get("XDG_RUNTIME_DIR") == self.runtime:
                    found.append(p)
            except psutil.Error:
                pass
        return found

    def test_server(self):
        """Two notebooks share a server; killed in the middle of an inversion it costs one cell; it ends with
        the notebooks."""
        with tempfile.TemporaryDirectory() as self.runtime:
            self.start(XDG_RUNTIME_DIR=self.runtime)
            first = self.km, self.kc
            sample = 'import "gansim.example/gansim/lab"\nfmt.Println(lab.Sample("BigGAN", lab.N(1)).N)'
            self.assertEqual("ok", run(self.kc, sample)[1]["status"])
            self.start(XDG_RUNTIME_DIR=self.runtime)
            self.assertEqual("ok", run(self.kc, sample)[1]["status"])
            self.assertEqual(1, len(self.servers()))
            id = self.kc.execute('lab.Invert("DeePSim", lab.Sample("BigGAN", lab.N(1)), lab.Steps(900_000))')
            while self.kc.get_iopub_msg(timeout=60)["msg_type"] != "display_data":
                pass  # progress
            self.servers()[0].kill()
            while True:
                m = self.kc.get_shell_msg(timeout=30)
                if m["parent_header"]["msg_id"] == id:
                    break
            self.assertIn("the model server ended before it answered", m["content"]["evalue"])
            out, reply = run(self.kc, sample)
            self.assertEqual("ok", reply["status"], reply)
            self.assertEqual("ok", run(first[1], sample)[1]["status"])
            self.assertEqual(1, len(self.servers()))
            for km, kc in first, (self.km, self.kc):
                kc.stop_channels()
                km.shutdown_kernel()
            end = time.time() + LATEST
            while time.time() < end and self.servers():
                time.sleep(0.1)
            self.assertEqual([], self.servers())

    def test_kill_jupyter(self):
        code = (
            "from jupyter_client.manager import start_new_kernel\nimport time\n"
            "km, kc = start_new_kernel(kernel_name='gansim-go', independent=False)\n"
            "kc.execute('for {\\n}')\ntime.sleep(3)\n"
            "print(km.provisioner.pid, flush=True)\ntime.sleep(60)\n"
        )
        jupyter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        pid = int(jupyter.stdout.readline())
        self.dir = glob.glob(os.path.join(tempfile.gettempdir(), f"gansim-kernel-{pid}-*"))[0]
        self.assertTrue(users(self.dir))
        jupyter.kill()
        jupyter.wait()
        jupyter.stdout.close()
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
