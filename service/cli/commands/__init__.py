"""The commands, one subject a file. They parse options, make one or two calls, and print."""
