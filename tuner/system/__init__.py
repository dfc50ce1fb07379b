"""What the operating system needs: whole files, interrupts, quiet imports."""
