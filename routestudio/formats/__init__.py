"""Row formats: each module knows one shape of rows and how to make messages of it. No I/O."""
