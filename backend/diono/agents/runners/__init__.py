"""The built-in runners, one module each with ``make(resources, detail)``; see registry.py."""
