module gpuregion.lab/model-engine

go 1.26.0
