"""What a function's text shows without running it, of both languages, found once for each text."""
