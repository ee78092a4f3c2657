"""The commands that show what is there, and what all commands share: options and output."""
