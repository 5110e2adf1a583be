# shellcheck shell=bash
# Steps that .ci/run and .ci/nightly may add: the notebook kernel in a real Jupyter. Source it after
# steps.sh. The environment and the tools are kept in .cache between runs.

# jupyter_make installs JupyterLab and the kernels, and what tests of kernels need.
jupyter_make() {
	make build
	jupyter=$(GANSIM_HOME=$plugins bin/gansim setup --jupyter)
	"$jupyter/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: -r kernels/requirements-jupyter-test.txt
}

# jupyter_again does so once more, which must not take long.
jupyter_again() {
	local begin=$SECONDS
	GANSIM_HOME=$plugins bin/gansim setup --jupyter
	((SECONDS - begin <= 3))
}

jupyter_python() { GANSIM_HOME=$plugins "$jupyter/bin/python" -W ignore "$@"; }

# jupyter_conformance runs jupyter-kernel-test.
jupyter_conformance() { jupyter_python tools/jupyter/conformance.py -v; }

# jupyter_lifecycle stops, restarts and kills kernels and cells, and looks for what is left.
jupyter_lifecycle() { jupyter_python tools/jupyter/lifecycle.py -v; }

# jupyter_clients runs notebooks by nbconvert and papermill, and Jupyter's console.
jupyter_clients() { jupyter_python tools/jupyter/clients.py -v; }

# jupyter_browser does as the README says, and looks at the notebooks in a browser.
jupyter_browser() {
	command -v chromium >/dev/null || install chromium
	jupyter_python tools/jupyter/browser.py "$plugins/screenshots"
}

# jupyter_steps are all of these.
jupyter_steps() {
	step "Jupyter: environment and kernels" jupyter_make
	step "Jupyter: a second time, at most 3 s" jupyter_again
	step "Jupyter: conformance" jupyter_conformance
	step "Jupyter: cells that go wrong, kernels and servers that are killed" jupyter_lifecycle
	step "Jupyter: nbconvert, papermill, console" jupyter_clients
	step "Jupyter: the README's command, in a browser" jupyter_browser
}
