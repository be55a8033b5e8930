"""Changing a built app: small typed operations on its spec, proven or rolled back."""
