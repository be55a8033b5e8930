"""The code interpreter of the sandbox: contexts with state, and snippets run by a warm Python."""
