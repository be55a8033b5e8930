"""Reads one document in a sandbox: the program that the host puts there with its libraries.

Standard library and the libraries of the template ``documents`` only; nothing of ours from outside
this package. The backend never imports it: it sends it as text. A document is hostile. Nothing of
it is executed, no path of it is opened, and each one is read by a child process with limits of its
own, so that what kills a library kills only that child.

Modules that use the template's libraries are checked in pyright's basic mode: those libraries are
in the image, not among the backend's, and most tell no types.
"""
