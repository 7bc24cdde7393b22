# The commands that developers type: `just` lists them (https://just.systems).

# List the commands
default:
    @just --list

# Start the demo
demo:
    bash packaging/run

# Lint, types, imports and the tests that need no server
fast *arguments:
    bash packaging/test --fast {{arguments}}

# Lines and branches that unit tests leave out
coverage *arguments:
    bash packaging/test --coverage {{arguments}}

# Everything, with servers
test *arguments:
    bash packaging/test {{arguments}}

# One test file or test: `just one tests/unit/test_x.py::test_y`
one *arguments:
    .venv/bin/python -m pytest {{arguments}}

# Format, and mend what ruff can mend
format:
    .venv/bin/ruff check --fix .
    .venv/bin/ruff format .

# Write the pages that come from code
pages:
    .venv/bin/python -m routestudio docs --write

# Build the documentation site
site:
    packaging/site

# Build the Debian package and the AppImage
bundle:
    packaging/bundle

# Prove every way of installing, on bare Debian 12 and 13
installs:
    packaging/prove-installs
