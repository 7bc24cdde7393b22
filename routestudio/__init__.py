"""RouteStudio: design, preview, test and deliver routes for change-data-capture messages."""

import os

__version__ = "0.3.0"

# Our models need no plugins; to look for some reads the metadata of every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
