"""The services of AWS: sign in, send entries of a batch, read."""
