"""The only way out of a sandbox: a proxy with a policy of its own for each machine."""
