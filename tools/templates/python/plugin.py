"""@NAME@: a plugin for the TFTP server tftpkit. It answers hello.txt and declines every other name.

This file becomes part of the shared object (build.py); README.md says how to go on.
"""


class Plugin:
    """One configured use of the plugin. `setting(pointer)` gives a setting as text, or None."""

    def __init__(self, setting):
        """Settings are read and checked here; what is raised is told to the operator."""
        greeting = setting("/greeting")
        if not greeting:
            raise ValueError("/greeting is empty: give the line to be shown")
        self.line = greeting.encode() + b"\n"

    def open(self, path):
        """The bytes that answer a name, or None: "not mine". What is raised fails the request."""
        if path != "hello.txt":
            return None
        return self.line
