"""One module a verb of the command line: HELP, add_arguments and run."""
