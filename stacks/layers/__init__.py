"""One module a layer; each declares its resources from a compiled plan and nothing else."""
