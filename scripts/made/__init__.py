"""What lies in this repository and is made by a script: the reference trace and what shows it."""
