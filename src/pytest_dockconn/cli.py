"""``dockconn``: placeholder, replaced below."""
