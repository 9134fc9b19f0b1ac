package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const pools = `{"pools": {
	"small": {"count": 2, "productName": "LAB SMALL", "architecture": "Ada Lovelace", "memory": "22Gi"},
	"large": {"count": 4, "productName": "LAB LARGE", "architecture": "Hopper", "memory": "131Gi"}
}}`

func configured(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pools.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func node(pool string) *core.Node {
	return &core.Node{ObjectMeta: meta.ObjectMeta{Name: nodeName, UID: "n-1", Labels: map[string]string{poolLabel: pool}}}
}

func TestTheLabelOfTheNodeSaysWhichGPUsItHas(t *testing.T) {
	configuration, err := readConfiguration(configured(t, pools))
	if err != nil {
		t.Fatal(err)
	}
	for pool, product := range map[string]string{"small": "LAB SMALL", "large": "LAB LARGE"} {
		if found, err := configuration.of(node(pool)); err != nil || found.ProductName != product {
			t.Errorf("pool %s has %v, %v", pool, found, err)
		}
	}
	if _, err := configuration.of(node("huge")); err == nil || !strings.Contains(err.Error(), `found "huge", allowed are the pools of the configuration: large, small`) {
		t.Errorf("a pool that nobody described: %v", err)
	}
}

func TestAWrongConfigurationIsRefusedWithItsPlace(t *testing.T) {
	for reason, change := range map[string][2]string{
		"pools.small.count: found 0":  {`"count": 2`, `"count": 0`},
		"pools.small.productName":     {`"LAB SMALL"`, `""`},
		"pools.small.architecture":    {`"Ada Lovelace"`, `"` + strings.Repeat("a", 65) + `"`},
		"pools.small.memory: found 0": {`"22Gi"`, `"0"`},
		`unknown field "model"`:       {`"productName": "LAB SMALL"`, `"model": "LAB SMALL"`},
	} {
		_, err := readConfiguration(configured(t, strings.Replace(pools, change[0], change[1], 1)))
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("expected a refusal that says %q, got %v", reason, err)
		}
	}
}

func TestDevicesHaveTheNamesOfTheNVIDIADriverAndSayThatTheyAreSimulated(t *testing.T) {
	configuration, err := readConfiguration(configured(t, pools))
	if err != nil {
		t.Fatal(err)
	}
	devices := resources(nodeName, configuration.Pools["large"]).Pools[nodeName].Slices[0].Devices
	if len(devices) != 4 || devices[3].Name != "gpu-3" {
		t.Fatalf("4 GPUs are asked for, these are published: %v", devices)
	}
	last := devices[3]
	if got := *last.Attributes["type"].StringValue + ", " + *last.Attributes["productName"].StringValue + ", " +
		*last.Attributes["architecture"].StringValue; got != "gpu, LAB LARGE, Hopper" {
		t.Errorf("attributes are %s", got)
	}
	memory := last.Capacity["memory"].Value
	if memory.String() != "131Gi" || *last.Attributes["index"].IntValue != 3 || !*last.Attributes["simulated"].BoolValue {
		t.Errorf("memory %s, attributes %v", memory.String(), last.Attributes)
	}
	seen := map[string]bool{}
	for _, each := range append(devices, device("node-2", 0, configuration.Pools["large"])) {
		seen[*each.Attributes["uuid"].StringValue] = true
	}
	if len(seen) != 5 || !seen[*device(nodeName, 0, kind{}).Attributes["uuid"].StringValue] {
		t.Errorf("a UUID is of one GPU, and stays: %v", seen)
	}
}
