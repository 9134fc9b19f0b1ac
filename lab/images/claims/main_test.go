package main

import (
	"net/http/httptest"
	"strings"
	"testing"

	resource "k8s.io/api/resource/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

func claim(name string, devices, pods []string) *resource.ResourceClaim {
	made := &resource.ResourceClaim{ObjectMeta: meta.ObjectMeta{Namespace: "tenant-a", Name: name, UID: "u-1"}}
	if devices != nil {
		made.Status.Allocation = &resource.AllocationResult{}
		for _, device := range devices {
			made.Status.Allocation.Devices.Results = append(made.Status.Allocation.Devices.Results,
				resource.DeviceRequestAllocationResult{Request: "gpu", Driver: "gpu.example.com", Pool: "node-1", Device: device})
		}
	}
	for _, pod := range pods {
		made.Status.ReservedFor = append(made.Status.ReservedFor, resource.ResourceClaimConsumerReference{Resource: "pods", Name: pod})
	}
	return made
}

func TestEachDeviceAndEachPodOfAClaimIsOneSeries(t *testing.T) {
	var text strings.Builder
	write(&text, []*resource.ResourceClaim{claim("b", nil, nil), claim("a", []string{"gpu-0", "gpu-1"}, []string{"p"})})
	for _, line := range []string{
		`kube_resourceclaim_allocated_device{namespace="tenant-a",resourceclaim="a",uid="u-1",request="gpu",driver="gpu.example.com",pool="node-1",device="gpu-1"} 1`,
		`kube_resourceclaim_reserved_for{namespace="tenant-a",resourceclaim="a",uid="u-1",resource="pods",pod="p"} 1`,
	} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("missing %s in\n%s", line, text.String())
		}
	}
	if strings.Count(text.String(), "allocated_device{") != 2 || strings.Contains(text.String(), `device{namespace="tenant-a",resourceclaim="b"`) {
		t.Errorf("a claim without devices has no series of one:\n%s", text.String())
	}
}

func TestNothingIsToldBeforeAllClaimsAreRead(t *testing.T) {
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	for synced, code := range map[bool]int{false: 503, true: 200} {
		answer := httptest.NewRecorder()
		handler(store, func() bool { return synced }).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		if answer.Code != code {
			t.Errorf("synced %v: %d, expected %d", synced, answer.Code, code)
		}
	}
}
