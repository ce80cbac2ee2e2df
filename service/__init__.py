"""The process: settings, wiring, gRPC handlers, interceptors, jobs and the command line."""
