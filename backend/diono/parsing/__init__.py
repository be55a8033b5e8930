"""Documents to tables and text, by a program in a sandbox; the host never parses one."""
