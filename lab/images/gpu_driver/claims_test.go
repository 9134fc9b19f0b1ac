package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	resource "k8s.io/api/resource/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	cdi "tags.cncf.io/container-device-interface/specs-go"
)

const (
	driverName = "gpu.example.com"
	nodeName   = "node-1"
)

func given(device string) resource.DeviceRequestAllocationResult {
	return resource.DeviceRequestAllocationResult{Request: "gpu", Driver: driverName, Pool: nodeName, Device: device}
}

// allocated is a claim to which the scheduler gave these devices.
func allocated(uid types.UID, results ...resource.DeviceRequestAllocationResult) *resource.ResourceClaim {
	claim := &resource.ResourceClaim{ObjectMeta: meta.ObjectMeta{Namespace: "tenant-a", Name: "claim-" + string(uid), UID: uid}}
	claim.Status.Allocation = &resource.AllocationResult{Devices: resource.DeviceAllocationResult{Results: results}}
	return claim
}

func host(t *testing.T) claims {
	return claims{driver: driverName, node: nodeName, folder: t.TempDir(), count: 4}
}

// files is the content of each CDI file, by name.
func files(t *testing.T, folder string) map[string]cdi.Spec {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]cdi.Spec{}
	for _, entry := range entries {
		content, err := os.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		var spec cdi.Spec
		if err := json.Unmarshal(content, &spec); err != nil {
			t.Fatalf("%s: %v", entry.Name(), err)
		}
		found[entry.Name()] = spec
	}
	return found
}

func TestAContainerIsToldTheIndexAndTheNameOfEachGPU(t *testing.T) {
	on := host(t)
	other := given("nic-0")
	other.Driver = "nic.example.com"
	devices, err := on.prepare(allocated("u-1", given("gpu-3"), other, given("gpu-0")))
	if err != nil {
		t.Fatal(err)
	}
	spec := files(t, on.folder)["gpu.example.com-u-1.json"]
	told := []string{}
	for _, each := range spec.Devices {
		told = append(told, each.Name+" "+strings.Join(each.ContainerEdits.Env, " "))
	}
	if got := strings.Join(told, ", "); got != "u-1-gpu-3 GPU_DEVICE_3=gpu-3, u-1-gpu-0 GPU_DEVICE_0=gpu-0" {
		t.Errorf("the CDI file tells %s", got)
	}
	if len(devices) != 2 || devices[0].CDIDeviceIDs[0] != spec.Kind+"=u-1-gpu-3" || devices[0].Requests[0] != "gpu" {
		t.Errorf("the kubelet is told of %v, not of the devices of this driver", devices)
	}
}

func TestPreparingAgainIsTheSameAlsoForAPluginThatStartedAnew(t *testing.T) {
	on := host(t)
	first, err := on.prepare(allocated("u-1", given("gpu-0")))
	if err != nil {
		t.Fatal(err)
	}
	before := files(t, on.folder)
	anew := claims{driver: on.driver, node: on.node, folder: on.folder, count: on.count}
	again, err := anew.prepare(allocated("u-1", given("gpu-0")))
	if err != nil {
		t.Fatal(err)
	}
	if asJSON(t, first) != asJSON(t, again) || asJSON(t, before) != asJSON(t, files(t, on.folder)) {
		t.Errorf("first %v, again %v", first, again)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAGPUThatAnEarlierPluginPreparedIsNotGivenAwayTwice(t *testing.T) {
	on := host(t)
	if _, err := on.prepare(allocated("u-1", given("gpu-0"))); err != nil {
		t.Fatal(err)
	}
	anew := claims{driver: on.driver, node: on.node, folder: on.folder, count: on.count}
	if _, err := anew.prepare(allocated("u-2", given("gpu-0"))); err == nil || !strings.Contains(err.Error(), "prepared for claim u-1") {
		t.Errorf("gpu-0 is held by u-1, and u-2 gets: %v", err)
	}
	if len(files(t, on.folder)) != 1 {
		t.Errorf("a refused claim has a CDI file: %v", files(t, on.folder))
	}
	if err := anew.unprepare("u-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := anew.prepare(allocated("u-2", given("gpu-0"))); err != nil {
		t.Errorf("gpu-0 is free, and u-2 gets: %v", err)
	}
}

func TestUnpreparingRemovesTheFileAndMayBeRepeated(t *testing.T) {
	on := host(t)
	for _, uid := range []types.UID{"u-1", "u-2"} {
		if _, err := on.prepare(allocated(uid, given(map[types.UID]string{"u-1": "gpu-1", "u-2": "gpu-2"}[uid]))); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := on.unprepare("u-1"); err != nil {
			t.Fatal(err)
		}
	}
	if left := files(t, on.folder); len(left) != 1 || left["gpu.example.com-u-2.json"].Kind == "" {
		t.Errorf("only the file of u-2 stays, there are %v", left)
	}
}

func TestWhatTheHostCannotGiveIsRefusedAndLeavesNoFile(t *testing.T) {
	yes := true
	elsewhere, admin := given("gpu-0"), given("gpu-0")
	elsewhere.Pool, admin.AdminAccess = "node-2", &yes
	configured := allocated("u-1", given("gpu-0"))
	configured.Status.Allocation.Devices.Config = []resource.DeviceAllocationConfiguration{{
		DeviceConfiguration: resource.DeviceConfiguration{Opaque: &resource.OpaqueDeviceConfiguration{Driver: driverName}},
	}}
	for reason, claim := range map[string]*resource.ResourceClaim{
		"has 4 GPUs":       allocated("u-1", given("gpu-4")),
		"of pool node-2":   allocated("u-1", elsewhere),
		"administrator":    allocated("u-1", admin),
		"which takes none": configured,
	} {
		on := host(t)
		if _, err := on.prepare(claim); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("expected a refusal that says %q, got %v", reason, err)
		}
		if left := files(t, on.folder); len(left) != 0 {
			t.Errorf("%s: there is a file %v", reason, left)
		}
	}
}
