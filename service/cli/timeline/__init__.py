"""What held from when to when, as groups of rows and as a picture in the terminal."""
