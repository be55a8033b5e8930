"""The program inside each container: standard library only, Python 3.9 or newer.

It is baked into the image and is the container's first process. Whatever it says is believed by
nobody outside: it runs as the tenant, next to the tenant's code.
"""
