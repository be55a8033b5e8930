"""The made-up providers, for the suite over the adapters."""

from contract.drives_fake.rigs import drive_environment, fake_drives, running_drives

__all__ = ["drive_environment", "fake_drives", "running_drives"]
