"""What several sinks build on: the network, HTTP and its APIs, AWS, Redis."""
