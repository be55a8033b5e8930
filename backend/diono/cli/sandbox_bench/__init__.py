"""`diono bench sandbox`: the sandbox service against a local process and against its peers."""
