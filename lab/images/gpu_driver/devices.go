package main

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
	resource "k8s.io/api/resource/v1"
	"k8s.io/dynamic-resource-allocation/resourceslice"
)

// deviceName is how claims and ResourceSlices call the GPU of this index.
func deviceName(index int) string { return fmt.Sprintf("gpu-%d", index) }

// device describes one GPU as the NVIDIA driver does, with one attribute more: that it is simulated. The UUID is made
// of host and index, so it is the same after any restart.
func device(node string, index int, of kind) resource.Device {
	text := func(value string) resource.DeviceAttribute { return resource.DeviceAttribute{StringValue: &value} }
	number, simulated := int64(index), true
	id := uuid.NewSHA1(uuid.NameSpaceDNS, fmt.Appendf(nil, "%s.%s", deviceName(index), node))
	return resource.Device{
		Name: deviceName(index),
		Attributes: map[resource.QualifiedName]resource.DeviceAttribute{
			"type":         text("gpu"),
			"productName":  text(of.ProductName),
			"architecture": text(of.Architecture),
			"uuid":         text("GPU-" + id.String()),
			"index":        {IntValue: &number},
			"simulated":    {BoolValue: &simulated},
		},
		Capacity: map[resource.QualifiedName]resource.DeviceCapacity{"memory": {Value: of.Memory}},
	}
}

// resources is what a host publishes: one pool that has the host's name, in one slice.
func resources(node string, of kind) resourceslice.DriverResources {
	devices := slices.Collect(func(yield func(resource.Device) bool) {
		for index := range of.Count {
			if !yield(device(node, index, of)) {
				return
			}
		}
	})
	return resourceslice.DriverResources{
		Pools: map[string]resourceslice.Pool{node: {Slices: []resourceslice.Slice{{Devices: devices}}}},
	}
}
