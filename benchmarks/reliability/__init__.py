"""What the caller hears when a service or a process fails (docs/reliability.md)."""
