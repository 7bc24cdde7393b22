"""RouteStudio: design, preview, test and deliver routes for change-data-capture messages."""

__version__ = "0.3.0"
