"""What happens when things go wrong: killed runs, full disks, slow disks, damaged files, hostile content."""
