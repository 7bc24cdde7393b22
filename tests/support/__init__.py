"""What tests share: real servers, certificates, guards against leaks."""
