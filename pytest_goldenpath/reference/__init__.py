"""The reference backend: the smallest honest twin of the platform, a process of its own."""
