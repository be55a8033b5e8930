"""Cloud drives: one port, one adapter a provider."""
