"""Adapters of the sandbox port. Only composition roots name them."""
