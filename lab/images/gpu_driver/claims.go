package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	resource "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/dynamic-resource-allocation/kubeletplugin"
	cdi "tags.cncf.io/container-device-interface/specs-go"
)

// cdiVersion is the oldest that allows names of devices to begin with a digit, as UIDs of claims may.
const cdiVersion = "0.5.0"

// claims prepares the claims of one host. The CDI file of a claim is all that is remembered of it: a plugin that starts
// anew finds what its predecessor prepared, and no record can tell anything else than what containers get.
type claims struct {
	driver, node string
	// folder is where the container runtime looks for CDI files.
	folder string
	// count is how many GPUs the host has.
	count int
}

// cdiKind is the vendor and class of the CDI devices.
func (c claims) cdiKind() string { return c.driver + "/claim" }

func (c claims) path(uid types.UID) string {
	return filepath.Join(c.folder, fmt.Sprintf("%s-%s.json", c.driver, uid))
}

func cdiName(uid types.UID, device string) string { return fmt.Sprintf("%s-%s", uid, device) }

// prepare writes the CDI file of a claim, and returns its devices. Preparing it again does the same again.
func (c claims) prepare(claim *resource.ResourceClaim) ([]kubeletplugin.Device, error) {
	if err := c.refuseConfiguration(claim); err != nil {
		return nil, err
	}
	holders, err := c.holders()
	if err != nil {
		return nil, err
	}
	spec := cdi.Spec{Version: cdiVersion, Kind: c.cdiKind()}
	prepared := []kubeletplugin.Device{}
	for _, given := range claim.Status.Allocation.Devices.Results {
		if given.Driver != c.driver {
			continue
		}
		index, err := c.index(given)
		if err != nil {
			return nil, err
		}
		if holder, ok := holders[given.Device]; ok && holder != claim.UID {
			return nil, fmt.Errorf("%s of %s is prepared for claim %s: unprepare that first", given.Device, c.node, holder)
		}
		name := cdiName(claim.UID, given.Device)
		variable := fmt.Sprintf("GPU_DEVICE_%d=%s", index, given.Device)
		spec.Devices = append(spec.Devices, cdi.Device{Name: name, ContainerEdits: cdi.ContainerEdits{Env: []string{variable}}})
		prepared = append(prepared, kubeletplugin.Device{
			Requests:     []string{given.Request},
			PoolName:     given.Pool,
			DeviceName:   given.Device,
			CDIDeviceIDs: []string{c.cdiKind() + "=" + name},
		})
	}
	return prepared, c.write(claim.UID, spec)
}

// unprepare removes the CDI file of a claim; one that is not prepared needs nothing.
func (c claims) unprepare(uid types.UID) error {
	if err := os.Remove(c.path(uid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// refuseConfiguration refuses parameters for this driver: it has none, and to ignore them would be a promise not kept.
func (c claims) refuseConfiguration(claim *resource.ResourceClaim) error {
	for _, each := range claim.Status.Allocation.Devices.Config {
		if each.Opaque != nil && each.Opaque.Driver == c.driver {
			return fmt.Errorf("claim %s/%s has parameters for %s, which takes none: remove them", claim.Namespace, claim.Name, c.driver)
		}
	}
	return nil
}

// index is the number of an allocated GPU, if it is one of this host.
func (c claims) index(given resource.DeviceRequestAllocationResult) (int, error) {
	if given.AdminAccess != nil && *given.AdminAccess {
		return 0, fmt.Errorf("request %s asks for access as an administrator, which is not simulated", given.Request)
	}
	for index := range c.count {
		if given.Pool == c.node && given.Device == deviceName(index) {
			return index, nil
		}
	}
	return 0, fmt.Errorf("request %s was given %s of pool %s: host %s has %d GPUs, from %s on",
		given.Request, given.Device, given.Pool, c.node, c.count, deviceName(0))
}

// holders tells for which claim each device is prepared, by the CDI files.
func (c claims) holders() (map[string]types.UID, error) {
	files, err := filepath.Glob(c.path("*"))
	if err != nil {
		return nil, err
	}
	found := map[string]types.UID{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var spec cdi.Spec
		if err := json.Unmarshal(content, &spec); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		uid := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), c.driver+"-"), ".json")
		for _, device := range spec.Devices {
			found[strings.TrimPrefix(device.Name, uid+"-")] = types.UID(uid)
		}
	}
	return found, nil
}

// write puts the file there as a whole, so that neither runtime nor plugin ever reads half of it.
func (c claims) write(uid types.UID, spec cdi.Spec) error {
	content, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	draft := c.path(uid) + ".draft" // no name that a runtime reads
	if err := os.WriteFile(draft, content, 0o644); err != nil {
		return err
	}
	return os.Rename(draft, c.path(uid))
}
