"""What an agent can do in a project: tools with checked arguments, bounded results, known risks."""
