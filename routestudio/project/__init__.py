"""Project folders and `sequin.yaml`: load, edit, save, environment, secrets, transfer."""
