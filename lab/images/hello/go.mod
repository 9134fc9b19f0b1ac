module gpuregion.lab/hello-gpu

go 1.26.0
