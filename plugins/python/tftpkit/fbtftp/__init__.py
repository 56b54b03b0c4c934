"""For handlers written for fbtftp: the same names below tftpkit.fbtftp, so that a changed import is the whole move.

    from tftpkit.fbtftp.base_handler import BaseHandler, ResponseData, SessionStats, StringResponseData
    from tftpkit.fbtftp.base_server import BaseServer, Handlers, ServerStats

The names can be imported from here as well. README.md of the plugin shows a move, and what is different.
"""
_HOME = {"BaseHandler": "base_handler", "ResponseData": "base_handler", "SessionStats": "base_handler",
         "StringResponseData": "base_handler", "BaseServer": "base_server", "Handlers": "base_server",
         "ServerStats": "base_server"}
__all__ = list(_HOME)


def __getattr__(name):
    """The modules are made after this one, so they are looked into when somebody asks."""
    import sys
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(sys.modules[f"{__name__}.{_HOME[name]}"], name)
