package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	resource "k8s.io/api/resource/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
)

// poolLabel is the label of nodes whose value is the pool that their GPUs belong to.
const poolLabel = "gpuregion.dev/gpu-pool"

// kind is what the GPUs of one pool are. Its keys are the names that the NVIDIA driver publishes.
type kind struct {
	// Count is how many GPUs each host has.
	Count        int    `json:"count"`
	ProductName  string `json:"productName"`
	Architecture string `json:"architecture"`
	// Memory is that of one GPU.
	Memory quantity.Quantity `json:"memory"`
}

// configuration names all pools of the region, so that it is the same for all hosts.
type configuration struct {
	Pools map[string]kind `json:"pools"`
}

// readConfiguration reads the pools from a file of JSON and refuses what the API server would refuse later.
func readConfiguration(path string) (configuration, error) {
	var found configuration
	file, err := os.Open(path)
	if err != nil {
		return found, err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&found); err != nil {
		return found, fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(found.Pools)) {
		if err := found.Pools[name].check(); err != nil {
			return found, fmt.Errorf("%s: pools.%s.%w", path, name, err)
		}
	}
	return found, nil
}

func (k kind) check() error {
	if k.Count < 1 || k.Count > resource.ResourceSliceMaxDevices {
		return fmt.Errorf("count: found %d, allowed 1 to %d", k.Count, resource.ResourceSliceMaxDevices)
	}
	for key, value := range map[string]string{"productName": k.ProductName, "architecture": k.Architecture} {
		if value == "" || len(value) > resource.DeviceAttributeMaxValueLength {
			return fmt.Errorf("%s: found %q, allowed 1 to %d characters", key, value, resource.DeviceAttributeMaxValueLength)
		}
	}
	if k.Memory.Sign() <= 0 {
		return fmt.Errorf("memory: found %s, allowed is a quantity above 0", k.Memory.String())
	}
	return nil
}

// of returns the kind of the GPUs of a node.
func (c configuration) of(node *core.Node) (kind, error) {
	pool := node.Labels[poolLabel]
	found, ok := c.Pools[pool]
	if !ok {
		return kind{}, fmt.Errorf("node %s: label %s: found %q, allowed are the pools of the configuration: %s",
			node.Name, poolLabel, pool, strings.Join(slices.Sorted(maps.Keys(c.Pools)), ", "))
	}
	return found, nil
}
