"""Long searches for inputs that break something: `ROUTESTUDIO_FUZZ=seconds` runs them."""
