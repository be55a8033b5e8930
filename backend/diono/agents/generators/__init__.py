"""Deterministic generators: from the typed spec to the files around the model's own code."""
