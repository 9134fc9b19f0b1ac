module gpuregion.lab/pause

go 1.26.0
