package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/tools/metrics"
)

// measured notes each request of all simulated machines, as their clients see it.
type measured struct {
	mutex   sync.Mutex
	took    map[string][]float64
	codes   map[string]int
	retries map[string]int
}

// report is what was asked of the API server so far.
type report struct {
	// Requests by kind of object.
	Requests map[string]latency `json:"requests"`
	// Codes of answers; `<error>` where there was none.
	Codes map[string]int `json:"codes"`
	// Retries by the client library after answers of a code.
	Retries map[string]int `json:"retries"`
	// CPU seconds of the simulator.
	CPU float64 `json:"cpu_s"`
}

type latency struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50_s"`
	P99   float64 `json:"p99_s"`
	Max   float64 `json:"max_s"`
}

func measure() *measured {
	m := &measured{took: map[string][]float64{}, codes: map[string]int{}, retries: map[string]int{}}
	metrics.Register(metrics.RegisterOpts{RequestLatency: m, RequestResult: m, RequestRetry: m})
	return m
}

func (m *measured) Observe(_ context.Context, verb string, u url.URL, took time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	kind := verb + " " + kindOf(u.Path)
	m.took[kind] = append(m.took[kind], took.Seconds())
}

func (m *measured) Increment(_ context.Context, code, _, _ string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.codes[code]++
}

func (m *measured) IncrementRetry(_ context.Context, code, _, _ string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.retries[code]++
}

// kindOf is the plural of a path such as /api/v1/namespaces/kube-system/configmaps/kubeadm-config.
func kindOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) > 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) > 3 && parts[0] == "apis":
		parts = parts[3:]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	return parts[0]
}

func (m *measured) report() *report {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	told := &report{Requests: map[string]latency{}, Codes: m.codes, Retries: m.retries}
	var all []float64
	for kind, took := range m.took {
		told.Requests[kind] = summary(took)
		all = append(all, took...)
	}
	told.Requests["all"] = summary(all)
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) == nil {
		told.CPU = time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
	}
	return told
}

func summary(took []float64) latency {
	if len(took) == 0 {
		return latency{}
	}
	sorted := slices.Sorted(slices.Values(took))
	at := func(share float64) float64 { return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))] }
	return latency{Count: len(sorted), P50: at(0.5), P99: at(0.99), Max: sorted[len(sorted)-1]}
}

// healthy answers where kubeadm asks whether a kubelet runs.
func healthy(port int) (func(), error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }),
		ReadHeaderTimeout: 5 * time.Second,
	}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }, nil
}
