//go:build tools

// Package tools names the programs that this module pins.
package tools

import (
	_ "k8s.io/kube-state-metrics/v2"
)
