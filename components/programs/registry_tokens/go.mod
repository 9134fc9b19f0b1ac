module gpuregion/registry_tokens

go 1.26.0
