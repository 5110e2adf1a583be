"""The README's command ends in JupyterLab with the kernel chosen, and notebooks run there: in Chromium.

    browser.py FOLDER

runs `make lab` as the README says, opens what it prints in a headless browser, runs panel C from top to
bottom, moves a slider, and runs a cell in Notebook 7. Screenshots go to FOLDER. The notebooks' files stay as
they are. Needs chromium and playwright; CHROMIUM names another browser.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

from playwright.sync_api import TimeoutError, sync_playwright

ROOT = pathlib.Path(__file__).parents[2]
PATIENCE = 300  # seconds for a notebook on a busy machine
PANEL = ROOT / "notebooks/panel_c.ipynb"
EXPLORE = ROOT / "notebooks/05_explore.ipynb"

# What the page shows: prompts of code cells, widths of pictures once they are loaded, errors.
PROMPTS = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(e => e.textContent.trim())"
PICTURES = """[...document.querySelectorAll('.jp-OutputArea-output')]
    .flatMap(o => [...o.querySelectorAll('img, svg')].slice(0, 1))
    .map(e => e.tagName == 'IMG' ? e.naturalWidth : e.getBoundingClientRect().width)"""
ERRORS = """[...document.querySelectorAll('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')]
    .map(e => e.textContent)"""


def start():
    """Runs the README's command and gives its process and the address that it prints."""
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"^(make lab)\b", readme, re.M).group(1).split()
    lab = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "BROWSER": "true"}, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    for line in lab.stdout:
        print(line, end="", flush=True)
        found = re.search(r"http://127\.0\.0\.1:\d+/lab/\S+", line)
        if found:
            threading.Thread(target=lambda: [None for _ in lab.stdout], daemon=True).start()  # so it never blocks
            return lab, urllib.parse.urlsplit(found.group())
    sys.exit(f"{' '.join(command)} ended before it named an address")


def saved_pictures(path):
    """How many pictures a notebook's file has."""
    cells = json.loads(path.read_text())["cells"]
    return sum("image/png" in o.get("data", {}) for c in cells for o in c.get("outputs", []))


def menu(page, *names):
    for name in names:
        page.get_by_role("menuitem", name=name, exact=True).click()


def wait_ready(page):
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=120_000)
    page.wait_for_function("document.querySelector('.jp-Toolbar-kernelName')?.textContent == 'gansim (Go)'",
                           timeout=120_000)


def run(page, act):
    """Clears what was saved and tells the page to run cells, again if it did not yet listen."""
    menu(page, "Edit", "Clear Outputs of All Cells")
    page.wait_for_function(f"{PROMPTS}.every(s => /\\[ *\\]/.test(s))", timeout=10_000)
    for _ in range(12):
        act()
        try:
            page.wait_for_function(f"{PROMPTS}.some(s => /\\[[*\\d]+\\]/.test(s))", timeout=10_000)
            return
        except TimeoutError:
            print("no cell runs yet; asking again", flush=True)
    raise RuntimeError("no cell began to run")


def run_first(page):
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")


def done(page, cells):
    """Waits until so many cells have a number: they ran, or none runs any more."""
    ran = f"{PROMPTS}.filter(s => /\\[\\d+\\]/.test(s)).length >= {cells}"
    page.wait_for_function(f"{ran} || {ERRORS}.length > 0", timeout=PATIENCE * 1000)
    errors = page.evaluate(ERRORS)
    assert not errors, errors


def run_all(page, url):
    page.goto(url)
    wait_ready(page)
    begin = time.monotonic()
    run(page, lambda: menu(page, "Run", "Run All Cells"))
    done(page, page.locator(".jp-CodeCell").count())
    want = saved_pictures(PANEL)
    page.wait_for_function(f"{PICTURES}.length >= {want}", timeout=30_000)
    widths = page.evaluate(PICTURES)
    print(f"panel C: {time.monotonic() - begin:.0f} s, pictures {widths} pixels wide", flush=True)
    assert want > 0 and len(widths) >= want and min(widths) > 50, (want, widths)


def slide(page, url):
    """Runs the first code cell, a walk, and moves its slider to the end."""
    page.goto(url)
    wait_ready(page)
    run(page, lambda: run_first(page))
    slider = page.locator(".jp-OutputArea-output input[type=range]").first
    slider.wait_for(timeout=PATIENCE * 1000)
    done(page, 1)
    visible = page.locator(".jp-OutputArea-output div:has(> input) > img:visible")
    before = visible.get_attribute("src")
    slider.focus()
    page.keyboard.press("End")
    after = visible.get_attribute("src")
    assert visible.count() == 1 and before != after, "the slider shows the same picture"
    print("slider: shows another picture when it is moved", flush=True)


def notebook7(page, url):
    page.goto(url)
    wait_ready(page)
    run(page, lambda: run_first(page))
    done(page, 1)
    page.wait_for_function(f"{PICTURES}.length > 0", timeout=30_000)
    print("Notebook 7: shows the first picture", flush=True)


def main(folder):
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what follows is put in order
    kept = {p: p.read_bytes() for p in (ROOT / "notebooks").glob("*.ipynb")}
    lab, address = start()
    try:
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
                                        args=["--no-sandbox", "--disable-background-networking"])
            page = browser.new_page(viewport={"width": 1300, "height": 6000})
            page.goto(address.geturl())
            wait_ready(page)
            print("make lab: JupyterLab with the kernel gansim (Go)", flush=True)
            base = f"{address.scheme}://{address.netloc}"
            query = f"?{address.query}&reset"
            for name, check, path in [("panel_c", run_all, "/lab/tree/notebooks/panel_c.ipynb"),
                                      ("slider", slide, "/lab/tree/notebooks/05_explore.ipynb"),
                                      ("notebook7", notebook7, "/notebooks/notebooks/00_start.ipynb")]:
                try:
                    check(page, base + path + query)
                finally:
                    page.screenshot(path=out / f"{name}.png")
            browser.close()
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(30)
        for path, text in kept.items():
            path.write_bytes(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
