"""The code editor: highlighting, diagnostics, completion, small behaviours."""
