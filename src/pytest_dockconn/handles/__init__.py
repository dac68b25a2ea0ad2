"""What a test holds: containers, ports, networks, images, the host, the engine."""
